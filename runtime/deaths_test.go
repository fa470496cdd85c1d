//go:build unix

package jobgen_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// deaths are what ends a process, and what its error says then.
var deaths = map[string][]string{
	"SIGKILL":   {"signal: killed, not by jobgen; did it run out of memory?"},
	"SIGTERM":   {"signal: terminated"},
	"SIGABRT":   {"exit status 2", "SIGABRT"},
	"SIGSEGV":   {"exit status 2", "SIGSEGV"},
	"exit 0":    {"exit status 0"},
	"exit 3":    {"exit status 3"},
	"map":       {"exit status 2", "fatal error: concurrent map"},
	"goroutine": {"exit status 2", "panic: in another goroutine"},
	"stack":     {"exit status 2", "stack overflow"},
	"fault":     {"exit status 2", "unexpected fault address"},
}

// Wherever in the life of a job its process dies, and whatever kills it, that job fails and is told how; others
// do not. It happens twice in each run.
func TestDeathIsTheJobs(t *testing.T) {
	const n = 40
	at := []int{11, 23}
	for place, prefix := range map[string]string{atReadIn: "decoding the input: ", atMapJob: "", atDo: "", atAppendOut: ""} {
		for how, parts := range deaths {
			if place != atDo && (how == "map" || how == "stack") && (raceEnabled || testing.Short()) { // they take long
				continue
			}
			t.Run(place+" "+how, func(t *testing.T) {
				t.Parallel()
				in := among(place+" "+how, n, at...)
				var mu sync.Mutex
				var lost []string
				out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.Observe(jobgen.Observer{
					WorkerLost: func(_ jobgen.RunInfo, worker string, _ error) {
						mu.Lock()
						defer mu.Unlock()
						lost = append(lost, worker)
					},
				})).Run(t.Context(), in)
				var workers []string
				for _, j := range checkJobs(t, err, at...) {
					var death *jobgen.WorkerLostError
					if !errors.As(j, &death) || !strings.HasPrefix(j.Worker, "process-") || !strings.HasPrefix(j.Err.Error(), prefix) {
						t.Errorf("on %q: %v", j.Worker, j)
					}
					checkText(t, j, parts...)
					workers = append(workers, j.Worker)
				}
				slices.Sort(workers)
				slices.Sort(lost)
				if !slices.Equal(lost, workers) {
					t.Errorf("it was on %v; %v were lost", workers, lost)
				}
				checkOthers(t, in, out, at...)
			})
		}
	}
}

// An error or a panic is the job's wherever it happens: what a process does not die of is no death.
func TestFailureIsTheJobs(t *testing.T) {
	at := []int{0, 11, 12, 39}
	for place, prefix := range map[string]string{atAppendIn: "encoding the input: ", atReadIn: "decoding the input: ", atMapJob: "",
		atDo: "", atAppendOut: "encoding the result: ", atReadOut: "decoding the result: "} {
		for _, how := range []string{"error", "panic"} {
			t.Run(place+" "+how, func(t *testing.T) {
				t.Parallel()
				in := among(place+" "+how, 40, at...)
				out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.Observe(jobgen.Observer{
					WorkerLost: func(_ jobgen.RunInfo, worker string, err error) { t.Errorf("%s was lost: %v", worker, err) },
				})).Run(t.Context(), in)
				for _, j := range checkJobs(t, err, at...) {
					var panicked *jobgen.PanicError
					if !strings.HasPrefix(j.Err.Error(), prefix) || errors.As(j, &panicked) != (how == "panic") {
						t.Errorf("%v", j)
					}
					checkText(t, j, errTold.Error())
				}
				checkOthers(t, in, out, at...)
			})
		}
	}
}

// The end of its goroutine is the job's, too, where that is not jobgen's own.
func TestGoexitIsTheJobs(t *testing.T) {
	at := []int{0, 11, 12, 39}
	for place, prefix := range map[string]string{atReadIn: "decoding the input: ", atDo: ""} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			in := among(place+" goexit", 40, at...)
			out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
			for _, j := range checkJobs(t, err, at...) {
				if !errors.Is(j, jobgen.ErrGoexit) || !strings.HasPrefix(j.Err.Error(), prefix) {
					t.Errorf("%v", j)
				}
			}
			checkOthers(t, in, out, at...)
		})
	}
}

// A process that dies where no job can be blamed is followed by another, but not for ever: what kills each of
// them ends the run, with its reason.
func TestDeathIsTheWorkers(t *testing.T) {
	for place, part := range map[string]string{"read-config": "decoding the configuration", "setup": "Setup", "close": "Close"} {
		for how, parts := range deaths {
			if how == "map" || how == "stack" {
				continue // they take longer, and nothing is special about them here
			}
			t.Run(place+" "+how, func(t *testing.T) {
				t.Parallel()
				in := among("", 10)
				out, err := mortals(mortal{In: place, As: how}).Run(t.Context(), in)
				var run *jobgen.RunError
				var death *jobgen.WorkerLostError
				if !errors.As(err, &run) || !errors.As(run.Cause, &death) || len(run.Jobs) > 0 {
					t.Fatalf("the error is %v", err)
				}
				checkText(t, err, append(parts, part)...)
				if place == "close" {
					checkOthers(t, in, out)
				} else if run.NotRun != len(in) {
					t.Errorf("%d jobs were not run", run.NotRun)
				}
			})
		}
	}
}

func TestFailureIsTheWorkers(t *testing.T) {
	for place, part := range map[string]string{"write-config": "runtime_test.mortal cannot run on processes", "read-config": "decoding the configuration",
		"setup": "Setup", "close": "Close"} {
		for _, how := range []string{"error", "panic"} {
			t.Run(place+" "+how, func(t *testing.T) {
				t.Parallel()
				in := among("", 10)
				out, err := mortals(mortal{In: place, As: how}).Run(t.Context(), in)
				var run *jobgen.RunError
				var panicked *jobgen.PanicError
				if !errors.As(err, &run) || run.Cause == nil || len(run.Jobs) > 0 || errors.As(err, &panicked) != (how == "panic") {
					t.Fatalf("the error is %v", err)
				}
				checkText(t, err, part, errTold.Error())
				if place == "close" {
					checkOthers(t, in, out)
				}
			})
		}
	}
}

// A panic, or the end of its goroutine, in what surrounds the jobs is reported, and the process goes on to its end.
func TestPanicsOutsideOfJobs(t *testing.T) {
	for _, as := range []string{"panic", "goexit"} {
		for _, in := range []string{"setup", "close"} {
			t.Run(in+" "+as, func(t *testing.T) {
				var lost atomic.Int64
				_, err := mortals(mortal{In: in, As: as}, jobgen.Observe(jobgen.Observer{
					WorkerLost: func(jobgen.RunInfo, string, error) { lost.Add(1) },
				})).Run(t.Context(), among("x", 10, 0))
				part := map[string]string{"panic": errTold.Error(), "goexit": jobgen.ErrGoexit.Error()}[as]
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), in+": ") || !strings.Contains(err.Error(), part) || lost.Load() > 0 {
					t.Errorf("%d processes were lost, and the error is %v", lost.Load(), err)
				}
			})
		}
	}
}

// A process that somebody kills when it has nothing to do, or has just been closed, is no loss.
func TestDeathAtShutdown(t *testing.T) {
	t.Parallel()
	in := among("", 20)
	for range 5 {
		out, err := mortals(mortal{In: "close", As: "later"}).Run(t.Context(), in)
		if err != nil && !strings.Contains(err.Error(), "Close") {
			t.Errorf("killed after Close: %v", err)
		}
		checkOthers(t, in, out)
	}
	in = among(atDo+" later", 20, 19)
	for range 5 {
		out, err := mortals(mortal{}).Run(t.Context(), in)
		if err != nil && !strings.Contains(err.Error(), "Close") { // in which it may have been by chance
			t.Errorf("killed before Close: %v", err)
		}
		checkOthers(t, in, out)
	}
}

// Many deadly jobs take nothing with them but time.
func TestPoison(t *testing.T) {
	t.Parallel()
	deadly := []int{0, 1, 2, 3, 50, 51, 120, 299}
	for _, place := range []string{atReadIn, atDo} {
		in := among(place+" exit 3", 300, deadly...)
		out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
		checkJobs(t, err, deadly...)
		checkOthers(t, in, out, deadly...)
	}
}

// In the middle of a large chunk of quick jobs the right one is blamed.
func TestDeathInALargeChunk(t *testing.T) {
	t.Parallel()
	deadly := []int{2000, 2001, 15_000, 29_999}
	in := among(atDo+" exit 3", 30_000, deadly...)
	out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
	checkJobs(t, err, deadly...)
	checkOthers(t, in, out, deadly...)
}

// Without CollectErrors the run stops at the deadly job, which the others do not overtake.
func TestDeathStopsTheRun(t *testing.T) {
	t.Parallel()
	in := among(atDo+" exit 3", 100, 40, 60)
	out, err := mortals(mortal{}).Run(t.Context(), in)
	var run *jobgen.RunError
	if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Index != 40 || run.Cause != nil {
		t.Fatalf("the error is %v", err)
	}
	checkOthers(t, in[:40], out[:40])
}

// A job that is run again after its worker died is run in another process.
func TestRetryAfterDeath(t *testing.T) {
	t.Parallel()
	for _, place := range []string{atReadIn, atDo} {
		out, err := mortals(mortal{}, jobgen.Retry(2, 0)).Run(t.Context(), []string{"a", place + " exit 3", "b"})
		var run *jobgen.RunError
		if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Attempt != 2 || out[0] != "a" {
			t.Errorf("%v, %v", out, err)
		}
	}
}

// Where more is on its way than a pipe holds, in both directions, nobody waits for the dead.
func TestDeathWithLargeJobs(t *testing.T) {
	t.Parallel()
	const size = 3 << 20 // a pipe holds 1 MB
	in := make([]string, 12)
	for i := range in {
		in[i] = strings.Repeat(fmt.Sprint(i%10), size)
	}
	deadly := []int{3, 4, 9}
	for _, place := range []string{atReadIn, atDo, atAppendOut} {
		for _, i := range deadly {
			in[i] = place + " SIGKILL" // among large ones
		}
		out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
		checkJobs(t, err, deadly...)
		checkOthers(t, in, out, deadly...)
	}
}

// Inputs and results too large for a pipe to be quick reach the other side whole, in the company of small ones, and when
// a process dies among them.
func TestLargeJobs(t *testing.T) {
	const n = 40
	var in []string
	for i := range n {
		size := []int{10, 70_000, 200_000, 100, 600_000}[i%5]
		in = append(in, strings.Repeat(fmt.Sprint("job ", i, " "), size/8))
	}
	for _, deadly := range [][]int{nil, {13}, {31, 32, 39}} {
		in := slices.Clone(in)
		for _, i := range deadly {
			in[i] = "exit " + in[i] // whatever follows
		}
		out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
		var failed []int
		var run *jobgen.RunError
		if errors.As(err, &run) {
			for _, j := range run.Jobs {
				failed = append(failed, j.Index)
			}
		}
		if !slices.Equal(failed, deadly) {
			t.Errorf("jobs %v failed, not %v: %.200v", failed, deadly, err)
		}
		for i := range in {
			if !slices.Contains(deadly, i) && out[i] != in[i] {
				t.Errorf("job %d has another result, of %d bytes", i, len(out[i]))
			}
		}
	}
}

// A process that is killed while it writes a large result takes that one with it.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	size := 16 << 20
	if raceEnabled { // which is slow with each byte
		size = 2 << 20
	}
	in := among(fmt.Sprint("large ", size), 5, 2)
	var kills atomic.Int64
	out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.Retry(5, 0), jobgen.Observe(jobgen.Observer{
		WorkerStarted: func(_ jobgen.RunInfo, worker string) {
			// The first processes are killed at some time or other after they have begun.
			if n := kills.Add(1); n <= 2 {
				time.AfterFunc(time.Duration(n)*10*time.Millisecond, func() { kill(worker) })
			}
		},
	})).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out[2]) != size {
		t.Errorf("%d bytes", len(out[2]))
	}
	checkOthers(t, in, out, 2)
}
