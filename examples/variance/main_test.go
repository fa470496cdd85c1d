package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

var update = flag.Bool("update", false, "rewrite testdata/output.txt")

func TestMain(m *testing.M) {
	jobgen.Init()
	os.Setenv("JOBGEN_PROGRESS", "0")
	os.Exit(m.Run())
}

// output runs the program and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr strings.Builder
	if status := run(t.Context(), args, &stdout, &stderr); status != 0 {
		t.Fatalf("status %d, stderr:\n%s", status, stderr.String())
	}
	return stdout.String()
}

func golden(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "output.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestOutput(t *testing.T) {
	got := output(t)
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "output.txt"), []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want := golden(t); got != want {
		t.Errorf("the output is\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(got) {
		if len([]rune(line)) > 81 {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
}

// The environment changes how jobs run, not what comes out; only the section that runs with and
// without debug mode shows when it is always on.
func TestEnvironment(t *testing.T) {
	want := golden(t)
	for _, setting := range [][2]string{{"JOBGEN_WORKERS", "1"}, {"JOBGEN_WORKERS", "7"}, {"JOBGEN_DEBUG", "1"}} {
		t.Run(setting[0]+"="+setting[1], func(t *testing.T) {
			t.Setenv(setting[0], setting[1])
			want := want
			if setting[0] == "JOBGEN_DEBUG" {
				want = strings.Replace(want, "Run returns a *PanicError of the value:", "the panic comes through:", 1)
			}
			if got := output(t); got != want {
				t.Errorf("the output is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestSections(t *testing.T) {
	if got := output(t, "-list"); got != "struct\nfunction\nbind\nlengths\nbatch\nprogress\nnan\nerrors\ndebug\n" {
		t.Errorf("-list: %q", got)
	}
	got := output(t, "nan", "function")
	if !strings.HasPrefix(got, "2. A plain function (function.go)\n") || !strings.Contains(got, "\n7. Errors suppressed: NaN (nan.go)\n") || strings.Contains(got, "\n3.") {
		t.Errorf("nan function:\n%s", got)
	}
	var stdout, stderr strings.Builder
	if status := run(t.Context(), []string{"nonsense"}, &stdout, &stderr); status != 2 || !strings.Contains(stderr.String(), "The sections are struct, function,") {
		t.Errorf("nonsense: status %d, stderr %q", status, stderr.String())
	}
}
