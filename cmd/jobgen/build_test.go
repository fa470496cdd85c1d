package main

import (
	"testing"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// TestForbidden: an import that only the go command objects to is found before anything is written.
func TestForbidden(t *testing.T) {
	files := map[string][]byte{"jobgen_gen.go": []byte("package m\n\nimport (\n\t\"example.com/m/internal/a\"\n\t\"example.com/other/internal/b\"\n)\n")}
	want := "jobgen_gen.go: use of internal package example.com/other/internal/b not allowed"
	for _, path := range []string{"example.com/m", "example.com/m_test"} {
		got := forbidden(&model.Package{Path: path}, files)
		if len(got) != 1 || got[0] != want {
			t.Errorf("in %s: got %q, want %q", path, got, want)
		}
	}
}
