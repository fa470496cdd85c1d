package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

var update = flag.Bool("update", false, "rewrite testdata/output.txt")

func TestMain(m *testing.M) {
	jobgen.Init()
	os.Unsetenv("JOBGEN_BACKEND")
	os.Setenv("JOBGEN_PROGRESS", "0")
	os.Exit(m.Run())
}

// arrays runs the program and returns what it prints and its exit status.
func arrays(ctx context.Context, args ...string) (stdout, stderr string, status int) {
	var out, errs strings.Builder
	status = run(ctx, args, &out, &errs)
	return out.String(), errs.String(), status
}

// steady replaces in a report what differs from run to run, and takes off the note that belongs to
// systems without shared memory.
func steady(report string) string {
	report = regexp.MustCompile(` +[\d.]+ s\b`).ReplaceAllString(report, " #.## s")
	report = regexp.MustCompile(`(?m) +[\d.]+ [kMG]?B +[\d.]+ [kMG]?B$`).ReplaceAllString(report, " # B # B")
	return strings.TrimSuffix(report, notShared)
}

func TestOutput(t *testing.T) {
	got, stderr, status := arrays(t.Context(), "-n", "4", "-len", "1000", "-workers", "2")
	if status != exitOK {
		t.Fatalf("status %d, stderr:\n%s", status, stderr)
	}
	for line := range strings.Lines(got) {
		if len([]rune(line)) > 81 {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	if has := strings.HasSuffix(got, notShared); has == shared(t) {
		t.Errorf("arenas are shared: %t; the output has the note that they are not: %t", !has, has)
	}
	file := filepath.Join("testdata", "output.txt")
	if *update {
		if err := os.WriteFile(file, []byte(steady(got)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := steady(got); got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("the output is\n%s\nwant\n%s", got, want)
	}
}

// shared reports whether arenas are shared memory in this build.
func shared(t *testing.T) bool {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	if _, err := sharedmem.Alloc[float64](arena, 1); err != nil {
		t.Fatal(err)
	}
	return arena.Stats().Shared
}

func TestChoice(t *testing.T) {
	small := []string{"-n", "2", "-len", "100"}
	got, _, _ := arrays(t.Context(), append(small, "born", "plain")...)
	if p, b := strings.Index(got, "\n  plain "), strings.Index(got, "\n  born "); p < 0 || b < p || strings.Contains(got, "\n  copied ") || strings.Contains(got, "For copied") {
		t.Errorf("born plain:\n%s", got)
	}
	got, _, status := arrays(t.Context(), append(small, "plain")...)
	if status != exitOK || !strings.Contains(got, "The variances:\n") || strings.Contains(got, notShared) {
		t.Errorf("plain: status %d\n%s", status, got)
	}
}
