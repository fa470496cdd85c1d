//go:build unix

package jobgen_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestLogsAreForwarded(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if _, err := mortals(mortal{}, jobgen.Workers(1), jobgen.Logger(logger)).Run(t.Context(), []string{"a", "log hello"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"msg=hello", "job=1", `worker="process-1 (pid `, "n=3", "x=1.5", "took=1s", "g.a=true"} {
		if !strings.Contains(log.String(), p) {
			t.Errorf("%q is not in the log:\n%s", p, &log)
		}
	}
	if n := strings.Count(log.String(), "run started"); n != 1 {
		t.Errorf("%d records of the start:\n%s", n, &log)
	}
}

// Processors are shared out, and what a person has set for this program's runs does not move those in its jobs.
func TestChildEnvironment(t *testing.T) {
	t.Setenv("JOBGEN_SEED", "5")
	out, err := mortals(mortal{}).Run(t.Context(), []string{"env GOMAXPROCS", "env JOBGEN_SEED", "env JOBGEN_WORKER", "env OMP_NUM_THREADS"})
	share := strconv.Itoa(max(1, runtime.GOMAXPROCS(0)/2))
	if want := []string{share, "", "", share}; err != nil || !slices.Equal(out, want) {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
}

func TestBackendByEnvironment(t *testing.T) {
	for backend, processes := range map[string]int{"processes:1": 1, "processes:3": 3, "processes": 2, "goroutines": 0} {
		t.Setenv("JOBGEN_BACKEND", backend)
		r := jobgen.NewRunner(mortalSpec(mortal{}), jobgen.Workers(2))
		info := make(chan jobgen.RunInfo, 1)
		out, err := r.Run(t.Context(), slices.Repeat([]string{"pid"}, 50), jobgen.Observe(jobgen.Observer{
			RunStarted: func(i jobgen.RunInfo) { info <- i },
		}))
		if err != nil {
			t.Fatal(err)
		}
		here := strconv.Itoa(os.Getpid())
		if i := <-info; processes > 0 && (i.Workers != processes || i.Backend != "processes" || slices.Contains(out, here)) || processes == 0 && out[0] != here {
			t.Errorf("%s: %+v, pids %v", backend, i, out[:5])
		}
	}
	for _, bad := range []string{"processes:0", "processes:x", "processes:"} {
		t.Setenv("JOBGEN_BACKEND", bad)
		r := jobgen.NewRunner(mortalSpec(mortal{}))
		if _, err := r.Run(t.Context(), []string{"pid"}); err == nil || !strings.Contains(err.Error(), "processes:N") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestOutputIsForwarded(t *testing.T) {
	cmd := play("print")
	var errout bytes.Buffer
	cmd.Stderr = &errout
	out, err := cmd.Output()
	for name, text := range map[string]string{"stdout": string(out), "stderr": errout.String()} {
		if err != nil || !strings.Contains(text, "[process-") || !strings.Contains(text, "] hello\n") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// With a window of one the consumer's goroutine waits for the processes itself. What comes out is the same.
func TestWindowOfOne(t *testing.T) {
	in := among(atDo+" exit 3", 20, 7)
	in[11] = "error eof"
	n := 0
	for out, err := range mortals(mortal{}, jobgen.Window(1), jobgen.CollectErrors(), jobgen.Retry(2, 0)).Stream(t.Context(), slices.Values(in)) {
		var lost *jobgen.WorkerLostError
		switch {
		case n == 7 && errors.As(err, &lost), n == 11 && errors.Is(err, io.ErrUnexpectedEOF):
		case n < len(in) && (err != nil || out != in[n]):
			t.Errorf("job %d: %q, %v", n, out, err)
		}
		n++
	}
	if n != len(in) {
		t.Errorf("%d results", n)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var last error
	for _, err := range mortals(mortal{}, jobgen.Window(1)).Stream(ctx, slices.Values([]string{"a", "wait", "b"})) {
		if last = err; err == nil {
			time.AfterFunc(20*time.Millisecond, func() { cancel(errHome) })
		}
	}
	if !errors.Is(last, errHome) {
		t.Errorf("after it was cancelled: %v", last)
	}

	defer func() {
		if v := recover(); !strings.Contains(fmt.Sprint(v), "observed") {
			t.Errorf("a panic of an observer came out as %v", v)
		}
	}()
	for range mortals(mortal{}, jobgen.Window(1), jobgen.Observe(jobgen.Observer{
		JobDone: func(jobgen.RunInfo, jobgen.JobInfo) { panic("observed") },
	})).Stream(t.Context(), slices.Values([]string{"a", "b"})) {
		t.Error("there is a result")
	}
	t.Error("no panic")
}
