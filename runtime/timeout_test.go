//go:build unix

package jobgen_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// A job that goes on after its time limit is killed, whatever it is doing, and the error shows where it hung.
func TestTimeoutKills(t *testing.T) {
	const limit = 300 * time.Millisecond
	for job, parts := range map[string][]string{
		atDo + " hang":        {"its job went on after its time limit", "runtime_test.hang"},
		atDo + " hang on":     {"its job went on after its time limit", "runtime_test.hang"},
		atMapJob + " hang":    {"its job went on after its time limit", "runtime_test.hang", ".MapJob"},
		atReadIn + " hang":    {"decoding the input: ", "decoding its job took longer than the time limit", "runtime_test.hang"},
		atAppendOut + " hang": {"its job went on after its time limit", "runtime_test.hang"},
		atDo + " SIGSTOP":     {"its job went on after its time limit"}, // which cannot show anything
	} {
		t.Run(job, func(t *testing.T) {
			t.Parallel()
			in := among(job, 10, 4)
			out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.JobTimeout(limit)).Run(t.Context(), in)
			var run *jobgen.RunError
			if !errors.As(err, &run) || run.Cause != nil || run.NotRun > 0 {
				t.Fatalf("the error is %v", err)
			}
			var at []int
			for _, j := range run.Jobs { // on a busy machine others may be late, too
				var late *jobgen.TimeoutError
				if !errors.As(j, &late) || !errors.Is(j, context.DeadlineExceeded) {
					t.Errorf("%v", j)
				}
				if j.Index == 4 {
					checkText(t, j, append(parts, "its limit is 300ms")...)
				}
				at = append(at, j.Index)
			}
			if !slices.Contains(at, 4) {
				t.Errorf("late are jobs %v", at)
			}
			checkOthers(t, in, out, at...)
		})
	}
}

// A job is not late because the parent is slow to take its result.
func TestSlowObserverIsNoTimeout(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second // a busy machine needs less for a job
	large := []int{10, 11, 12, 13, 14, 15, 16}
	in := among("large 2000000", 20, large...) // a pipe does not hold two
	var once sync.Once
	out, err := mortals(mortal{}, jobgen.Workers(1), jobgen.JobTimeout(limit), jobgen.Observe(jobgen.Observer{
		JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
			if slices.Contains(large, j.Index) {
				once.Do(func() { time.Sleep(limit + time.Second) }) // it is in the same chunk as the next one
			}
		},
		WorkerLost: func(_ jobgen.RunInfo, worker string, err error) { t.Errorf("%s was lost: %v", worker, err) },
	})).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	checkOthers(t, in, out, large...)
}

// A Close that hangs holds nobody up for ever, where there is a time limit, or the run has been cancelled.
func TestCloseHangs(t *testing.T) {
	t.Run("JobTimeout", func(t *testing.T) {
		t.Parallel()
		in := among("", 10)
		out, err := mortals(mortal{In: "close", As: "hang"}, jobgen.Workers(1), jobgen.JobTimeout(time.Second)).Run(t.Context(), in)
		var run *jobgen.RunError
		if !errors.As(err, &run) || len(run.Jobs) > 0 {
			t.Fatalf("the error is %v", err)
		}
		checkText(t, err, "process-1", "Close of runtime_test.mortal went on after the time limit of 1s", "runtime_test.hang")
		checkOthers(t, in, out)
	})
	for _, job := range []string{"wait", "b"} { // in which it is cancelled; after the last one
		t.Run("cancelled, "+job, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			out, err := mortals(mortal{In: "close", As: "hang"}, jobgen.Workers(1), jobgen.Observe(jobgen.Observer{
				JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
					if j.Index == 0 && job == "wait" || j.Index == 1 {
						time.AfterFunc(50*time.Millisecond, func() { cancel(errHome) })
					}
				},
			})).Run(ctx, []string{"a", job})
			var run *jobgen.RunError
			if !errors.As(err, &run) || len(run.Jobs) > 0 || !run.HasResult(0) || out[0] != "a" {
				t.Fatalf("%q, %v", out, err)
			}
			if job == "wait" && !errors.Is(err, errHome) {
				t.Errorf("the cause is not told: %v", err)
			}
			if job == "b" {
				checkText(t, err, "process-1", "Close of runtime_test.mortal went on after the run had ended", "runtime_test.hang")
			}
		})
	}
	t.Run("waited for", func(t *testing.T) {
		defer jobgen.SetCloseSlow(50 * time.Millisecond)()
		var log bytes.Buffer
		ctx, cancel := context.WithCancelCause(t.Context())
		told := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
			if bytes.Contains(p, []byte("waiting for Close")) {
				log.Write(p)
				cancel(errHome)
			}
			return len(p), nil
		}), nil))
		_, err := mortals(mortal{In: "close", As: "hang"}, jobgen.Workers(1), jobgen.Logger(told)).Run(ctx, []string{"a"})
		if err == nil || !strings.Contains(log.String(), "waiting for Close of runtime_test.mortal") || !strings.Contains(log.String(), "process-1") {
			t.Errorf("the log has %q; the error is %v", &log, err)
		}
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
