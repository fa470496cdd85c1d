package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestMain(m *testing.M) {
	jobgen.Init()
	os.Exit(m.Run())
}

// tree makes a directory with many small files, one of them broken.
func tree(t *testing.T) string {
	dir := t.TempDir()
	for i := range 300 {
		text := "package p\n\nfunc f(a, b bool) int {\n\tif a && b {\n\t\treturn 1\n\t}\n\treturn 0\n}\n"
		if i == 7 {
			text = "package p\n\nfunc {\n"
		}
		name := filepath.Join(dir, "f"+string(rune('a'+i/26/26))+string(rune('a'+i/26%26))+string(rune('a'+i%26))+".go")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The report is the same with and without a worker that is killed.
func TestChaos(t *testing.T) {
	dir := tree(t)
	var reports []string
	for _, args := range [][]string{{dir}, {"-chaos", dir}} {
		var out, errs bytes.Buffer
		if status := run(context.Background(), args, &out, &errs); status != exitOK {
			t.Fatalf("%q: status %d\n%s", args, status, errs.String())
		}
		report, _, _ := strings.Cut(out.String(), " in 0.") // the time it took
		report, _, _ = strings.Cut(report, " in 1.")
		report, _, found := strings.Cut(report, "Parsed ")
		if !found {
			t.Fatalf("%q: no report\n%s", args, out.String())
		}
		reports = append(reports, report)
	}
	if reports[0] != reports[1] {
		t.Errorf("with a worker killed the report is\n%s\nand without\n%s", reports[1], reports[0])
	}
	if !strings.Contains(reports[0], "1 file could not be parsed") || !strings.Contains(reports[0], "300 Go files") {
		t.Errorf("the report is\n%s", reports[0])
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-workers", "0"}, {"-top", "-1"}, {"a", "b"}, {"-chaos", "-url", "nats://127.0.0.1:1"}, {"-what"}} {
		if status := run(context.Background(), args, &bytes.Buffer{}, &bytes.Buffer{}); status != exitUsage {
			t.Errorf("%q: status %d, want %d", args, status, exitUsage)
		}
	}
	var errs bytes.Buffer
	if status := run(context.Background(), []string{"-url", "nats://127.0.0.1:1", "."}, &bytes.Buffer{}, &errs); status != exitFailed || !strings.Contains(errs.String(), "no server answers") {
		t.Errorf("status %d, %s", status, errs.String())
	}
}
