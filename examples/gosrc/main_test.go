package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestMain(m *testing.M) {
	jobgen.Init()
	os.Setenv("JOBGEN_PROGRESS", "0")
	os.Exit(m.Run())
}

// tree writes the files of testdata/small.txtar below src/ into a directory, and returns that and
// the other files of the archive.
func tree(t *testing.T) (dir string, golden map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "small.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir, golden = t.TempDir(), map[string]string{}
	for _, f := range archive.Files {
		rel, ok := strings.CutPrefix(f.Name, "src/")
		if !ok {
			golden[f.Name] = string(f.Data)
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(rel))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir, golden
}

// gosrc runs the program and returns what it prints and its exit status.
func gosrc(t *testing.T, ctx context.Context, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs strings.Builder
	status = run(ctx, args, &out, &errs)
	return out.String(), errs.String(), status
}

// steady replaces in a report what differs from run to run.
func steady(report, dir string) string {
	report = strings.ReplaceAll(report, dir, "DIR")
	report = regexp.MustCompile(`[\d.,]+( s\b| s:| files/s| MB/s| times)`).ReplaceAllString(report, "#$1")
	return regexp.MustCompile(`on \d+ cores?`).ReplaceAllString(report, "on # cores")
}

func TestReport(t *testing.T) {
	dir, golden := tree(t)
	for _, test := range []struct {
		golden string
		args   []string
		edit   func(string) string
	}{
		{"top", []string{"-top", "2", "-workers", "2", dir}, nil},
		{"top", []string{"-debug", "-top", "2", dir}, func(s string) string {
			return strings.Replace(s, "2 workers (goroutines)", "1 worker (debug)", 1)
		}},
	} {
		stdout, stderr, status := gosrc(t, t.Context(), test.args...)
		want := golden[test.golden]
		if test.edit != nil {
			want = test.edit(want)
		}
		if got := steady(stdout, dir); got != want || status != exitOK {
			t.Errorf("gosrc %q: status %d, stdout:\n%s\nwant:\n%s\nstderr: %s", test.args, status, got, want, stderr)
		}
	}
}

func TestCompare(t *testing.T) {
	dir, _ := tree(t)
	stdout, stderr, status := gosrc(t, t.Context(), "-compare", "-workers", "2", dir)
	if got := steady(stdout, dir); status != exitOK ||
		!strings.Contains(got, "# times as fast with 2 workers on # cores, with the same results.\n") {
		t.Errorf("status %d, stdout:\n%s\nstderr:\n%s", status, got, stderr)
	}
}

func TestOneFile(t *testing.T) {
	dir, _ := tree(t)
	stdout, stderr, status := gosrc(t, t.Context(), filepath.Join(dir, "branch", "branch.go"))
	if status != exitOK || !strings.HasPrefix(stdout, "1 Go file in ") || !strings.Contains(stdout, "Parsed 1 file (0.3 kB, 20 lines)") {
		t.Errorf("status %d, stdout:\n%s\nstderr:\n%s", status, stdout, stderr)
	}
}

func TestBrokenLimit(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		if err := os.WriteFile(filepath.Join(dir, name+".go"), []byte("package"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	stdout, _, _ := gosrc(t, t.Context(), dir)
	if !strings.Contains(stdout, "7 files could not be parsed:\n") || !strings.Contains(stdout, "  and 2 more; -all shows them\n") {
		t.Errorf("without -all:\n%s", stdout)
	}
	stdout, _, _ = gosrc(t, t.Context(), "-all", dir)
	if strings.Contains(stdout, "more;") || !strings.Contains(stdout, "  g.go:1:8:\n      expected 'IDENT', found 'EOF'\n") {
		t.Errorf("with -all:\n%s", stdout)
	}
}

func TestInterrupted(t *testing.T) {
	dir, _ := tree(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt signal received"))
	stdout, stderr, status := gosrc(t, ctx, dir)
	if status != exitInterrupted || !strings.Contains(stdout, "Stopped early (interrupt signal received): 6 of 6 files not measured.\n") {
		t.Errorf("status %d, stdout:\n%s\nstderr:\n%s", status, stdout, stderr)
	}
}

func TestFailures(t *testing.T) {
	empty := t.TempDir()
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{filepath.Join(empty, "absent")}, exitFailed, "gosrc: stat "},
		{[]string{empty}, exitFailed, "no .go files"},
		{[]string{"-top", "-1"}, exitUsage, "-top -1: must not be negative\nusage: gosrc"},
		{[]string{"-workers", "-1"}, exitUsage, "-workers -1: must not be negative\nusage: gosrc"},
		{[]string{"a", "b"}, exitUsage, "more than one directory or file"},
		{[]string{"-nonsense"}, exitUsage, "usage: gosrc"},
		{[]string{"-h"}, exitOK, "usage: gosrc"},
	} {
		stdout, stderr, status := gosrc(t, t.Context(), test.args...)
		if status != test.status || stdout != "" || !strings.Contains(stderr, test.stderr) {
			t.Errorf("gosrc %q: status %d, want %d; stdout %q; stderr %q, want in it %q", test.args, status, test.status, stdout, stderr, test.stderr)
		}
	}
}

// A wrong setting in the environment ends the run before its first job, with a word why.
func TestWrongEnvironment(t *testing.T) {
	dir, _ := tree(t)
	t.Setenv("JOBGEN_WORKERS", "many")
	_, stderr, status := gosrc(t, t.Context(), dir)
	if status != exitFailed || !strings.Contains(stderr, "JOBGEN_WORKERS=many") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}

func TestOddFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making symbolic links takes a privilege there")
	}
	dir, _ := tree(t)
	for name, target := range map[string]string{"gone.go": "absent.go", "same.go": "empty.go", "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, status := gosrc(t, t.Context(), dir)
	for _, want := range []string{
		"8 Go files in ",
		"Not measured because of errors:\n\n  open " + dir + "/gone.go: no such file or directory\n",
		"Left out:\n\n  loop: a symbolic link to a directory, not followed\n",
		"Parsed 4 files ",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if status != exitFailed {
		t.Errorf("status %d, stderr:\n%s", status, stderr)
	}
}
