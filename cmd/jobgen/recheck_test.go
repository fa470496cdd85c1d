package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
)

// TestCheckSaysOnlyWhatIsWrong: the package imports nothing, so that what the output imports is known from the
// runtime alone.
func TestCheckSaysOnlyWhatIsWrong(t *testing.T) {
	dir := module(t, map[string]string{"a.go": "package m\n\n//jobgen:worker\nfunc F(n int) {}\n"})
	r, err := load.Load(context.Background(), load.Config{Dir: dir, Patterns: []string{"."}})
	if err != nil || len(r.Packages) != 1 {
		t.Fatal(r, err)
	}
	c, err := r.Packages[0].Check(map[string][]byte{filepath.Join(dir, "jobgen_gen.go"): []byte(`package m

import (
	"context"

	jobgen "github.com/jobgen/jobgen/runtime"
)

var _ func(context.Context) jobgen.Option

var number int = "text"
`)})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Output) != 1 {
		t.Errorf("one mistake in the output is reported as %q", c.Output)
	}
}
