package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

var update = flag.Bool("update", false, "rewrite testdata/output.txt")

func TestMain(m *testing.M) {
	jobgen.Init()
	for _, name := range []string{"JOBGEN_BACKEND", "JOBGEN_DEBUG", "JOBGEN_WORKERS"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// crash runs the program and returns what it prints, what its children print, and its exit status.
func crash(t *testing.T, ctx context.Context, args ...string) (stdout, stderr, children string, status int) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = old }()
	var out, errs strings.Builder
	status = run(ctx, args, &out, &errs)
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), string(text), status
}

// steady replaces in a report what differs from run to run.
func steady(report string) string {
	report = regexp.MustCompile(`took [\d.]+(m?s, its.*| s)`).ReplaceAllString(report, "took #")
	return regexp.MustCompile(`(leaked memory +lost): .*`).ReplaceAllString(report, "$1: #") // Go has several words for it
}

func TestOutput(t *testing.T) {
	// Time enough for a machine that is busy with other tests.
	got, stderr, children, status := crash(t, t.Context(), "-workers", "3", "-timeout", "3s")
	if status != exitOK { // which says that each culprit is named with the right kind, and the other results are right
		t.Fatalf("status %d, stderr:\n%s\nstdout:\n%s\nchildren:\n%s", status, stderr, got, children)
	}
	for line := range strings.Lines(got) {
		if len([]rune(line)) > columns+1 {
			t.Errorf("wider than %d columns: %s", columns, line)
		}
	}
	// Where processes share no memory, as with -race, the line may be here before what says which job wrote it.
	if !regexp.MustCompile(`(?m)^\[process-[123]( job \d+)?\] panic: assignment to entry in nil map`).MatchString(children) {
		t.Errorf("the panic is not on standard error:\n%s", children)
	}
	if len(leaks) == 0 {
		return // so the jobs are others
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
	if got := steady(got); got != string(want) {
		t.Errorf("the output is\n%s\nwant\n%s", got, want)
	}
}

// Jobs one can look at in the debugger do no harm to the program that it holds.
func TestAtHome(t *testing.T) {
	for name, value := range map[string]string{"JOBGEN_BACKEND": "goroutines", "JOBGEN_DEBUG": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			stdout, stderr, _, status := crash(t, t.Context())
			if status != exitFailed || stdout != "" || !strings.Contains(stderr, "unset JOBGEN_BACKEND and JOBGEN_DEBUG") {
				t.Errorf("status %d, stdout:\n%s\nstderr:\n%s", status, stdout, stderr)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"-n", "3"}, exitUsage, "crash: -n 3: must be at least "},
		{[]string{"-workers", "-1"}, exitUsage, "-workers -1: must not be negative\nusage: crash"},
		{[]string{"-timeout", "0"}, exitUsage, "-timeout 0s: must be more than 0"},
		{[]string{"more"}, exitUsage, `"more": there are no arguments`},
		{[]string{"-nonsense"}, exitUsage, "usage: crash"},
		{[]string{"-h"}, exitOK, "usage: crash"},
	} {
		stdout, stderr, _, status := crash(t, t.Context(), test.args...)
		if status != test.status || stdout != "" || !strings.Contains(stderr, test.stderr) {
			t.Errorf("crash %q: status %d, want %d; stdout %q; stderr %q, want in it %q", test.args, status, test.status, stdout, stderr, test.stderr)
		}
	}
}

// Ctrl-C ends the program also while a job hangs that would be waited for a minute.
func TestInterrupted(t *testing.T) {
	for _, after := range []time.Duration{0, 300 * time.Millisecond} {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := func() { cancel(errors.New("interrupt signal received")) }
		if after == 0 {
			stop()
		} else {
			time.AfterFunc(after, stop)
		}
		stdout, stderr, _, status := crash(t, ctx, "-timeout", "1m")
		if status != exitInterrupted || stdout != "" || stderr != "crash: stopped early: interrupt signal received\n" {
			t.Errorf("after %v: status %d, stdout:\n%s\nstderr:\n%s", after, status, stdout, stderr)
		}
	}
}

// What is not as it should be is said.
func TestTrouble(t *testing.T) {
	out := bufio.NewWriter(io.Discard)
	jobs := []PrimesJob{{N: 10}, {Deed: "panicked"}, {N: 10}}
	run := &jobgen.RunError{Jobs: []*jobgen.JobError{
		{Index: 0, Err: errors.New("ill")},
		{Index: 1, Err: &jobgen.WorkerLostError{Reason: "exit status 7"}},
	}}
	text := errors.Join(reportCulprits(out, jobs, run)...).Error()
	for _, want := range []string{
		"a harmless job failed: job 0, ",
		"the job that panicked is reported as lost, not panic",
		"the job that returned an error is not reported",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	trouble := reportOthers(out, jobs, []int{4, 0, 3})
	if len(trouble) != 1 || trouble[0].Error() != "job 2 counts 3 primes below 10; there are 4" {
		t.Errorf("%v", trouble)
	}
	if len(reportCulprits(out, jobs, nil)) != len(deeds) {
		t.Error("that no job failed is not noticed")
	}
}

func TestDescribe(t *testing.T) {
	death := &jobgen.WorkerLostError{Reason: "exit status 2", Stderr: "runtime: stack\nfatal error: stack overflow\n…"}
	for _, test := range []struct {
		err          error
		kind, reason string
	}{
		{death, lost, "fatal error: stack overflow"},
		{&jobgen.WorkerLostError{Reason: "exit status 3", Stderr: "bye"}, lost, "exit status 3"},
		{&jobgen.TimeoutError{Limit: time.Second, Elapsed: 2 * time.Second, Err: death}, late, "the job took 2s, its limit is 1s: the worker process was lost: exit status 2; the end of its standard error:"},
		{&jobgen.PanicError{Value: "oh\nno"}, panicked, "oh"},
		{errors.New("no"), failed, "no"},
	} {
		if kind, reason := describe(test.err); kind != test.kind || reason != test.reason {
			t.Errorf("%v: %s, %q; want %s, %q", test.err, kind, reason, test.kind, test.reason)
		}
	}
}

func TestPrimes(t *testing.T) {
	for n, want := range map[int]int{0: 0, 2: 0, 3: 1, 10: 4, 20_000: 2262} {
		if got, err := Primes(n, ""); got != want || err != nil {
			t.Errorf("Primes(%d) = %d, %v; want %d", n, got, err, want)
		}
	}
}
