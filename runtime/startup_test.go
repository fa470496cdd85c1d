//go:build unix

package jobgen_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// dieEarly is what a worker process does before it calls Init: what TEST_EARLY says, or only the first of them
// if TEST_EARLY_ONCE names a file that is not there yet.
func dieEarly() {
	how := os.Getenv("TEST_EARLY")
	if how == "" {
		return
	}
	if once := os.Getenv("TEST_EARLY_ONCE"); once != "" {
		f, err := os.OpenFile(once, os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return
		}
		f.Close()
	}
	if err := die(how); err != nil {
		panic(err)
	}
}

// Processes that die before they are workers end the run with their reason, and are not started again for ever.
func TestDeathBeforeTheHandshake(t *testing.T) {
	for how, parts := range map[string][]string{
		"exit 0":    {"exit status 0"},
		"exit 3":    {"exit status 3"},
		"SIGKILL":   {"signal: killed, not by jobgen"},
		"SIGTERM":   {"signal: terminated"},
		"panic":     {"exit status 2", "panic: told to fail"},
		"goroutine": {"exit status 2", "panic: in another goroutine"},
		"close in":  {"was this process started by jobgen?"},
		"garbage":   {"what it sends makes no sense"},
		"SIGSTOP":   {"it did not answer within 500ms", "jobgen.Init() first"},
	} {
		t.Run(how, func(t *testing.T) {
			t.Setenv("TEST_EARLY", how)
			if how == "SIGSTOP" {
				defer jobgen.SetHelloTime(500 * time.Millisecond)()
			}
			_, err := mortals(mortal{}).Run(t.Context(), among("", 10))
			var run *jobgen.RunError
			if !errors.As(err, &run) || run.Cause == nil || run.NotRun != 10 {
				t.Fatalf("the error is %v", err)
			}
			checkText(t, err, append(parts, "could not be started")...)
		})
	}
}

// A process that somebody kills before it is a worker is followed by another.
func TestKilledBeforeTheHandshake(t *testing.T) {
	t.Setenv("TEST_EARLY", "SIGKILL")
	t.Setenv("TEST_EARLY_ONCE", filepath.Join(t.TempDir(), "once"))
	in := among("", 10)
	out, err := mortals(mortal{}).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	checkOthers(t, in, out)
}

// A program without Init starts nothing on account of that, in main or in TestMain, and says so.
func TestWithoutInit(t *testing.T) {
	out, err := play("forgetful").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "has not called jobgen.Init()") || !strings.Contains(string(out), "TestMain") {
		t.Errorf("%v\n%s", err, out)
	}
	// Nor does it run jobs of its own where it is to be a worker.
	out, err = play("worker without Init").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "JOBGEN_WORKER=nats://") || !strings.Contains(string(out), "has not called jobgen.Init") ||
		strings.Contains(string(out), "secret") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A process that is not what its parent takes it for says so, and no job is run.
func TestHandshakeIsRefused(t *testing.T) {
	for part, change := range map[string]func(*jobgen.Spec[string, string]){
		"the parent encodes it in another way (8) than this process (7)": func(s *jobgen.Spec[string, string]) {
			wire := *s.Wire
			wire.Fingerprint = 8
			s.Wire = &wire
		},
		`this program has no worker called "example.com/nobody.Worker"`: func(s *jobgen.Spec[string, string]) { s.Name = "example.com/nobody.Worker" },
	} {
		spec := mortalSpec(mortal{})
		change(&spec)
		r := jobgen.NewRunner(spec, jobgen.Processes(), jobgen.Workers(2))
		_, err := r.Run(t.Context(), among("", 10))
		var run *jobgen.RunError
		if !errors.As(err, &run) || run.Cause == nil || run.NotRun != 10 {
			t.Fatalf("the error is %v", err)
		}
		checkText(t, err, part)
	}
}
