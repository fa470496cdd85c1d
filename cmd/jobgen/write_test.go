package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jobgen_gen.go")
	for _, text := range []string{"one", "another"} {
		if err := writeFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Fatalf("read %q, %v", got, err)
		}
	}
	if n := names(t, dir); len(n) != 1 {
		t.Errorf("the directory holds %v", n)
	}
}

// A directory that cannot be written to: the error says so, and names none of our temporary files.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "jobgen_gen.go")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	for _, c := range []change{{path: path, old: []byte("old"), want: []byte("new")}, {path: path, old: []byte("old")}} {
		d := c.apply()
		if d == nil || d.Code != model.CannotWrite || d.Pos.File != path {
			t.Fatalf("apply: %+v", d)
		}
		if bytes.Contains([]byte(d.Text()), []byte(tempMark)) || !bytes.Contains([]byte(d.Text()), []byte("permission denied")) {
			t.Errorf("the message is %q", d.Text())
		}
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the file holds %q", got)
	}
}

// A write that fails half-way leaves the old file and no other.
func TestFailedRename(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jobgen_gen.go")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, []byte("new")); err == nil {
		t.Fatal("no error")
	}
	if n := names(t, dir); len(n) != 1 {
		t.Errorf("the directory holds %v", n)
	}
}

func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{tempMark + "old": time.Hour, tempMark + "new": 0, "mine": time.Hour} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	removeLeftovers(dir)
	if n := names(t, dir); len(n) != 2 || n[0] != tempMark+"new" || n[1] != "mine" {
		t.Errorf("the directory holds %v", n)
	}
}

func names(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestIsOurs(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		{"jobgen_gen.go", model.Header + "\n\npackage a\n", true},
		{"jobgen_gen_linux_test.go", model.Header + "\r\n\r\npackage a\r\n", true},
		{"jobgen_gen.go", "\n", true},
		{"jobgen_gen.go", "// Code gen", true},
		{"jobgen_gen.go", "<<<<<<< HEAD\n" + model.Header + "\npackage a\n", true},
		{"jobgen_gen.go", "package a\n", false},
		{"jobgen_gen.go", "package a\n" + model.Header + "\n", false},
		{"other.go", model.Header + "\n\npackage a\n", false},
	}
	for _, tt := range tests {
		if got := load.IsOurs(tt.name, []byte(tt.text)); got != tt.want {
			t.Errorf("IsOurs(%s, %q) = %v", tt.name, tt.text, got)
		}
	}
}

// Every code has a title, a remedy, and the form that people search for.
func TestCodes(t *testing.T) {
	for code, info := range model.Codes {
		if !codePattern.MatchString(string(code)) || info.Title == "" || info.Remedy == "" {
			t.Errorf("%s: %+v", code, info)
		}
	}
}
