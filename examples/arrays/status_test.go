package main

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/jobgen/jobgen/sharedmem"
)

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"-n", "0"}, exitUsage, "arrays: -n 0: must be 1 to 10000\nusage: arrays"},
		{[]string{"-n", "10001"}, exitUsage, "-n 10001: must be 1 to 10000\n"},
		{[]string{"-len", "0"}, exitUsage, "-len 0: must be at least 1\nusage: arrays"},
		{[]string{"-workers", "-1"}, exitUsage, "-workers -1: must not be negative\nusage: arrays"},
		{[]string{"-seed", "-1"}, exitUsage, "usage: arrays"},
		{[]string{"plain", "stolen"}, exitUsage, "there is no way \"stolen\"; the ways are plain, copied, born\nusage: arrays"},
		{[]string{"-nonsense"}, exitUsage, "usage: arrays"},
		{[]string{"-h"}, exitOK, "usage: arrays"},
	} {
		stdout, stderr, status := arrays(t.Context(), test.args...)
		if status != test.status || stdout != "" || !strings.Contains(stderr, test.stderr) {
			t.Errorf("arrays %q: status %d, want %d; stdout %q; stderr %q, want in it %q", test.args, status, test.status, stdout, stderr, test.stderr)
		}
	}
}

// What there is no memory for is an error with advice, whatever the way.
func TestTooLarge(t *testing.T) {
	lengths := []string{"9_000_000_000_000_000_000"} // more than there are addresses
	if runtime.GOOS == "linux" {
		lengths = append(lengths, "1_000_000_000_000") // elsewhere sharedmem cannot ask beforehand
	}
	for _, length := range lengths {
		for _, way := range []string{"plain", "copied", "born"} {
			stdout, stderr, status := arrays(t.Context(), "-n", "3", "-len", length, way)
			advice := "\nTake fewer arrays than 3 with -n, or shorter ones than " + strings.ReplaceAll(length, "_", "") + " with -len\n"
			if status != exitFailed || strings.Contains(stdout, way) || !strings.HasPrefix(stderr, "arrays: sharedmem: ") || !strings.HasSuffix(stderr, advice) {
				t.Errorf("-len %s %s: status %d, stdout:\n%s\nstderr:\n%s", length, way, status, stdout, stderr)
			}
		}
	}
	full := &sharedmem.BudgetError{Arena: "born", Need: 8}
	if err := (plan{n: 1, length: 1}).advise(full); !errors.Is(err, full) || !strings.Contains(err.Error(), "with -n, or") {
		t.Errorf("in the middle of a way: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt signal received"))
	stdout, stderr, status := arrays(ctx, "-n", "2", "-len", "100")
	if status != exitInterrupted || stdout != "" || stderr != "arrays: stopped early: interrupt signal received\n" {
		t.Errorf("status %d, stdout:\n%s\nstderr:\n%s", status, stdout, stderr)
	}
}

// trigger is a writer that calls f when text has been written.
type trigger struct {
	strings.Builder
	text string
	f    func()
}

func (w *trigger) Write(b []byte) (int, error) {
	defer func() {
		if strings.Contains(w.String(), w.text) {
			w.f()
		}
	}()
	return w.Builder.Write(b)
}

// An interrupt keeps what was measured before it.
func TestInterruptedLater(t *testing.T) {
	for _, way := range []string{"plain", "copied"} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &trigger{text: "\n  " + way + " ", f: cancel}
		var stderr strings.Builder
		status := run(ctx, []string{"-n", "2", "-len", "100"}, out, &stderr)
		if got := out.String(); status != exitInterrupted || !strings.Contains(got, out.text) || strings.Contains(got, "\n  born ") || strings.Contains(got, "variances") {
			t.Errorf("after %s: status %d, stdout:\n%s\nstderr:\n%s", way, status, got, stderr.String())
		}
	}
}

// A wrong setting in the environment ends the run before its first job, with a word why.
func TestWrongEnvironment(t *testing.T) {
	t.Setenv("JOBGEN_WORKERS", "many")
	_, stderr, status := arrays(t.Context(), "-n", "2", "-len", "100")
	if status != exitFailed || !strings.Contains(stderr, "JOBGEN_WORKERS=many") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}
