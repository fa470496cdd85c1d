package jobtest

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"sync"

	"pgregory.net/rapid"

	jobgen "github.com/jobgen/jobgen/runtime"
)

const (
	seed   = 42
	factor = 3.0
)

// draws returns the first random number of each job: what jobs draw in debug mode, one after the
// other on one goroutine.
func draws(t rapid.TB, n int) []float64 {
	t.Helper()
	drawn.Lock()
	defer drawn.Unlock()
	if len(drawn.all) < n {
		out, err := jobgen.Map(context.Background(), make([]struct{}, max(2*n, 4096)),
			func(ctx context.Context, _ struct{}) (float64, error) { return jobgen.Rand(ctx).Float64(), nil },
			jobgen.Debug(), jobgen.Seed(seed))
		if err != nil {
			t.Fatal(err)
		}
		drawn.all = out
	}
	return drawn.all
}

var drawn struct {
	sync.Mutex
	all []float64
}

// fails reports whether a step fails for good when it is tried so many times.
func (s Step) fails(attempts int) bool {
	switch s.Act {
	case Succeed, Hold:
		return false
	case Flaky:
		return s.Fails >= attempts
	}
	return true
}

// checkValue compares the result of a step that succeeds.
func checkValue(t rapid.TB, i int, s Step, got float64) {
	t.Helper()
	if want := factor*float64(s.Arg) + draws(t, i+1)[i]; got != want {
		t.Errorf("job %d: result %v, want %v", i, got, want)
	}
}

// checkMissing looks at the place of a step that failed.
func checkMissing(t rapid.TB, i int, got float64) {
	t.Helper()
	if !math.IsNaN(got) {
		t.Errorf("job %d failed: its place holds %v, want NaN", i, got)
	}
}

// checkFailure compares the error of a step that fails.
func checkFailure(t rapid.TB, i int, s Step, attempts int, err error) {
	t.Helper()
	var e *jobgen.JobError
	if !errors.As(err, &e) {
		t.Errorf("job %d: error %v (%T) is no JobError", i, err, err)
		return
	}
	if e.Index != i || e.Worker == "" || !strings.Contains(e.Job, "Script(") {
		t.Errorf("job %d: error names job %d, %q, on %q", i, e.Index, e.Job, e.Worker)
	}
	if e.Attempt != attempts {
		t.Errorf("job %d: failed for good in attempt %d, want %d", i, e.Attempt, attempts)
	}
	var p *jobgen.PanicError
	ok := false
	switch s.Act {
	case Fail, Flaky:
		ok = errors.Is(e, io.ErrUnexpectedEOF)
	case Panic:
		ok = errors.As(e, &p) && strings.HasPrefix(p.Value.(string), "step ") && strings.Contains(string(p.Stack), "jobtest.(*Script).Do")
	case PanicErr:
		ok = errors.As(e, &p) && errors.Is(e, io.ErrClosedPipe)
	case Goexit:
		ok = errors.Is(e, jobgen.ErrGoexit)
	}
	if !ok {
		t.Errorf("job %d, which is to %q, failed with %v", i, s.Act, e.Err)
	}
}

// firstToFail returns the index of the first step that fails, or len(steps).
func firstToFail(steps []Step, attempts int) int {
	for i, s := range steps {
		if s.fails(attempts) {
			return i
		}
	}
	return len(steps)
}

// checkRun compares what a whole run gave with what a serial loop over the steps would have.
func checkRun(t rapid.TB, steps []Step, attempts int, collect bool, out []float64, err error) {
	t.Helper()
	if len(out) != len(steps) {
		t.Fatalf("%d results for %d jobs", len(out), len(steps))
	}
	first := firstToFail(steps, attempts)
	if first == len(steps) {
		if err != nil {
			t.Fatalf("no job fails, but the error is: %v", err)
		}
		for i, s := range steps {
			checkValue(t, i, s, out[i])
		}
		return
	}
	var e *jobgen.RunError
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T, want *RunError: %v", err, err)
	}
	if e.Cause != nil {
		t.Errorf("Cause is %v, want nil", e.Cause)
	}
	if !collect {
		if len(e.Jobs) != 1 || e.Jobs[0].Index != first {
			t.Fatalf("the run failed with %v, want job %d", err, first)
		}
		checkFailure(t, first, steps[first], attempts, err)
		for i := range first {
			if !e.HasResult(i) {
				t.Errorf("job %d, before the first failure %d, has no result", i, first)
			}
		}
		for i := range steps {
			if e.HasResult(i) {
				checkValue(t, i, steps[i], out[i])
			}
		}
		checkMissing(t, first, out[first])
		if e.NotRun > len(steps)-first-1 {
			t.Errorf("%d jobs not run of the %d after the first failure", e.NotRun, len(steps)-first-1)
		}
		return
	}
	if e.NotRun != 0 {
		t.Errorf("%d jobs were not run", e.NotRun)
	}
	k := 0
	for i, s := range steps {
		if s.fails(attempts) {
			if k == len(e.Jobs) {
				t.Fatalf("the failure of job %d is not among %v", i, e.Jobs)
			}
			checkFailure(t, i, s, attempts, e.Jobs[k])
			checkMissing(t, i, out[i])
			k++
		} else {
			checkValue(t, i, s, out[i])
		}
		if e.HasResult(i) == s.fails(attempts) {
			t.Errorf("job %d: HasResult is %t", i, e.HasResult(i))
		}
	}
	if k != len(e.Jobs) {
		t.Errorf("%d failures reported, want %d", len(e.Jobs), k)
	}
}
