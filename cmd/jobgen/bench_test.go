package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkNetHTTP generates for one package that imports net/http, from nothing, with a warm build cache.
func BenchmarkNetHTTP(b *testing.B) {
	dir := module(b, map[string]string{"a.go": `package a

import "net/http"

//jobgen:worker
type Fetch struct{ Client *http.Client }

func (f *Fetch) Do(url string) (status int, body []byte, err error) { return }
`})
	for b.Loop() {
		os.Remove(filepath.Join(dir, "jobgen_gen.go"))
		generate(b, dir, ".")
	}
}

// BenchmarkManyPackages generates for ./... of fifty packages, of which one has a worker.
func BenchmarkManyPackages(b *testing.B) {
	files := map[string]string{"w/w.go": "package w\n\n//jobgen:worker\nfunc F(int) {}\n"}
	for i := range 50 {
		name := "p" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		files[name+"/p.go"] = "package " + name + "\n\nimport \"net/http\"\n\nvar Client http.Client\n"
	}
	dir := module(b, files)
	for b.Loop() {
		generate(b, dir, "./...")
	}
}

// BenchmarkAfterEdit generates for a package of ten workers whose source has changed, over its old output.
func BenchmarkAfterEdit(b *testing.B) {
	dir, edit := tenWorkers(b)
	for b.Loop() {
		edit()
		generate(b, dir, ".")
	}
}

// BenchmarkCompile compiles ten workers, of ten types, with what was generated for them.
func BenchmarkCompile(b *testing.B) {
	dir, edit := tenWorkers(b)
	for b.Loop() {
		edit()
		cmd := exec.Command("go", "build", ".")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(10*b.N), "ms/worker")
}

// tenWorkers makes a package with its output, and a function that changes its source a little.
func tenWorkers(b *testing.B) (dir string, edit func()) {
	src := "package a\n"
	for i := range 10 {
		src += fmt.Sprintf("\ntype T%[1]d struct{ A [%[1]d]int }\n\n//jobgen:worker\nfunc F%[1]d(t T%[1]d) (T%[1]d, error) { return t, nil }\n", i)
	}
	dir = module(b, map[string]string{"a.go": src})
	generate(b, dir, ".")
	edits := 0
	return dir, func() {
		edits++
		edited := fmt.Sprintf("%s\nvar edit%d int\n", src, edits)
		if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(edited), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// module writes a module that joins the repository in a workspace.
func module(tb testing.TB, files map[string]string) string {
	tb.Helper()
	repo, err := filepath.Abs("../..")
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	files["go.work"] = "go 1.26.0\n\nuse (\n\t.\n\t" + repo + "\n)\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func generate(tb testing.TB, dir, pattern string) {
	tb.Helper()
	var errs strings.Builder
	if code := run(tb.Context(), []string{"-C", dir, pattern}, io.Discard, &errs); code != exitOK {
		tb.Fatalf("exit code %d: %s", code, &errs)
	}
}
