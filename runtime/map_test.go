package jobgen_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/cmplx"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func double(_ context.Context, i int) (int, error) { return 2 * i, nil }

func numbers(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestMapInOrder(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 1000} {
		for _, workers := range []int{0, 1, 2, 7, 100} {
			out, err := jobgen.Map(t.Context(), numbers(n), double, jobgen.Workers(workers))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range out {
				if v != 2*i {
					t.Fatalf("n %d, workers %d: results[%d] = %d", n, workers, i, v)
				}
			}
			if len(out) != n {
				t.Fatalf("%d results for %d inputs", len(out), n)
			}
		}
	}
}

func TestMapAMillion(t *testing.T) {
	in := numbers(1_000_000)
	out, err := jobgen.Map(t.Context(), in, double)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v != 2*i {
			t.Fatalf("results[%d] = %d", i, v)
		}
	}
	next := 0
	for v, err := range jobgen.Stream(t.Context(), slices.Values(in), double) {
		if err != nil || v != 2*next {
			t.Fatalf("result %d is %d, %v", next, v, err)
		}
		next++
	}
	if next != len(in) {
		t.Fatalf("%d results", next)
	}
}

// TestMapAllocates has no allocation for a job: a run of many allocates what a run of few does.
func TestMapAllocates(t *testing.T) {
	allocs := func(n int) float64 {
		in := numbers(n)
		return testing.AllocsPerRun(5, func() {
			if _, err := jobgen.Map(context.Background(), in, double, jobgen.Workers(2)); err != nil {
				t.Error(err)
			}
		})
	}
	few, many := allocs(10), allocs(100_000)
	if many > few+20 { // the runtime's own, now and then
		t.Errorf("%v allocations for 10 jobs, %v for 100,000", few, many)
	}
}

// TestFirstErrorOfASerialLoop has a later failure come first in time.
func TestFirstErrorOfASerialLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err3, err4 := errors.New("three"), errors.New("four")
		out, err := jobgen.Map(t.Context(), numbers(8), func(ctx context.Context, i int) (int, error) {
			switch i {
			case 3:
				time.Sleep(time.Hour)
				return 0, err3
			case 4:
				return 0, err4
			case 5, 6, 7: // would be in the way for ever
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return i + 1, nil
		}, jobgen.Workers(8))
		if !errors.Is(err, err3) || errors.Is(err, err4) {
			t.Errorf("the error is %v, a serial loop would have met %v", err, err3)
		}
		if !slices.Equal(out[:3], []int{1, 2, 3}) {
			t.Errorf("the results before the failure are %v", out[:3])
		}
	})
}

func TestNotRunIsToldFromFailed(t *testing.T) {
	var ran atomic.Int64
	_, err := jobgen.Map(t.Context(), numbers(1000), func(_ context.Context, i int) (int, error) {
		ran.Add(1)
		if i == 100 {
			return 0, fs.ErrNotExist
		}
		return 0, nil
	}, jobgen.Workers(3))
	var e *jobgen.RunError
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if int(ran.Load())+e.NotRun != 1000 {
		t.Errorf("%d jobs ran and %d did not, of 1000", ran.Load(), e.NotRun)
	}
	if !e.HasResult(99) || e.HasResult(100) || e.HasResult(999) && e.NotRun > 0 && ran.Load() == 101 || e.HasResult(-1) || e.HasResult(1000) {
		t.Error("HasResult is wrong")
	}
	_, err = jobgen.Map(t.Context(), numbers(10), func(_ context.Context, i int) (int, error) {
		if i == 4 {
			return 0, fs.ErrNotExist
		}
		return 0, nil
	}, jobgen.Workers(1))
	if !errors.As(err, &e) || e.NotRun != 5 {
		t.Errorf("one worker failed at job 4 of 10: %v", err)
	}
	if want := "jobgen: job 4, runtime_test.TestNotRunIsToldFromFailed.func2(4), on goroutine-1: file does not exist; 5 jobs not run"; err.Error() != want {
		t.Errorf("the error reads\n\t%s\nwant\n\t%s", err, want)
	}
}

func TestMissingIsNaN(t *testing.T) {
	fail := errors.New("no")
	f, _ := jobgen.Map(t.Context(), numbers(2), func(_ context.Context, i int) (float32, error) { return 7, fail }, jobgen.CollectErrors())
	c, _ := jobgen.Map(t.Context(), numbers(2), func(_ context.Context, i int) (complex128, error) { return 7, fail }, jobgen.CollectErrors())
	type volt float64
	v, _ := jobgen.Map(t.Context(), numbers(2), func(_ context.Context, i int) (volt, error) { return 7, fail }, jobgen.CollectErrors())
	s, _ := jobgen.Map(t.Context(), numbers(2), func(_ context.Context, i int) (struct{ X float64 }, error) {
		return struct{ X float64 }{7}, fail
	}, jobgen.CollectErrors())
	n, _ := jobgen.Map(t.Context(), numbers(2), func(_ context.Context, i int) (int, error) { return 7, fail }, jobgen.CollectErrors())
	if !math.IsNaN(float64(f[1])) || !cmplx.IsNaN(c[1]) || !math.IsNaN(float64(v[1])) {
		t.Errorf("places of failed jobs: %v %v %v, want NaN", f[1], c[1], v[1])
	}
	if s[1].X != 0 || n[1] != 0 {
		t.Errorf("places of failed jobs: %v %v, want zero", s[1], n[1])
	}
	// Several results of one job are fields of a struct that is generated.
	type result struct {
		Mean, SD float64
		N        int
	}
	r := jobgen.NewRunner(jobgen.Spec[int, result]{Name: "x.Multi", Multi: true, New: func() jobgen.Instance[int, result] {
		return jobgen.Instance[int, result]{Do: func(context.Context, int) (result, error) { return result{1, 2, 3}, fail }}
	}})
	m, _ := r.Run(t.Context(), numbers(1), jobgen.CollectErrors())
	if !math.IsNaN(m[0].Mean) || !math.IsNaN(m[0].SD) || m[0].N != 0 {
		t.Errorf("the place of a job with several results: %v", m[0])
	}
}

func TestPanicError(t *testing.T) {
	var p *jobgen.PanicError
	_, err := jobgen.Map(t.Context(), numbers(1), func(context.Context, int) (int, error) {
		return 0, writeToNil(nil)
	})
	if !errors.As(err, &p) {
		t.Fatal(err)
	}
	var re runtime.Error
	if !errors.As(err, &re) {
		t.Error("a runtime error in a panic is not found by errors.As")
	}
	if s := p.Error(); !strings.HasPrefix(s, "panic: assignment to entry in nil map (at ") || !strings.Contains(s, "map_test.go:") {
		t.Errorf("the panic reads %q", s)
	}
	if s := fmt.Sprintf("%+v", p); !strings.Contains(s, "TestPanicError") || !strings.Contains(s, "goroutine ") {
		t.Errorf("%%+v has no stack: %q", s)
	}
	_, err = jobgen.Map(t.Context(), numbers(1), func(context.Context, int) (int, error) { panic(nil) })
	if !errors.As(err, &p) {
		t.Errorf("panic(nil): %v", err)
	}
}

func writeToNil(m map[string]int) error {
	m["a"] = 1
	return nil
}

func TestFailNowInAJob(t *testing.T) {
	_, err := jobgen.Map(t.Context(), numbers(100), func(_ context.Context, i int) (int, error) {
		if i%10 == 3 {
			runtime.Goexit()
		}
		return i, nil
	}, jobgen.CollectErrors(), jobgen.Workers(4))
	var e *jobgen.RunError
	if !errors.Is(err, jobgen.ErrGoexit) || !errors.As(err, &e) || len(e.Jobs) != 10 || e.NotRun != 0 {
		t.Errorf("ten jobs end their goroutines: %v", err)
	}
}

func TestNestedRunsDoNotDeadlock(t *testing.T) {
	var nested atomic.Int64
	o := jobgen.Observe(jobgen.Observer{RunStarted: func(r jobgen.RunInfo) {
		if r.Nested {
			nested.Add(1)
		}
	}})
	var r jobgen.Runner[int, int]
	r = jobgen.NewRunner(jobgen.Spec[int, int]{Name: "x.Tree", New: func() jobgen.Instance[int, int] {
		return jobgen.Instance[int, int]{Do: func(ctx context.Context, depth int) (int, error) {
			if depth == 0 {
				return 1, nil
			}
			out, err := r.Run(ctx, []int{depth - 1, depth - 1, depth - 1})
			return out[0] + out[1] + out[2], err
		}}
	}}, jobgen.Workers(1), o)
	out, err := r.Run(t.Context(), []int{5})
	if err != nil || out[0] != 243 {
		t.Errorf("a tree of runs: %v, %v", out, err)
	}
	if n := nested.Load(); n != 121 {
		t.Errorf("%d nested runs, want 121", n)
	}
}

func TestWorkersAreReadAtEachRun(t *testing.T) {
	most := func() int64 {
		var now, most atomic.Int64
		_, err := jobgen.Map(t.Context(), numbers(50), func(context.Context, int) (int, error) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(100 * time.Microsecond)
			now.Add(-1)
			return 0, nil
		})
		if err != nil {
			t.Error(err)
		}
		return most.Load()
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if n := most(); n != 1 {
		t.Errorf("%d jobs at a time with one processor", n)
	}
	runtime.GOMAXPROCS(3)
	if n := most(); n < 2 || n > 3 {
		t.Errorf("%d jobs at a time with three processors", n)
	}
}

func TestAJobIsRunOnce(t *testing.T) {
	ran := make([]atomic.Int32, 20_000)
	_, err := jobgen.Map(t.Context(), numbers(len(ran)), func(_ context.Context, i int) (int, error) {
		ran[i].Add(1)
		if i%997 == 0 { // so that chunks are taken over
			time.Sleep(time.Millisecond)
		}
		return 0, nil
	}, jobgen.Workers(5))
	if err != nil {
		t.Fatal(err)
	}
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Fatalf("job %d ran %d times", i, n)
		}
	}
}

func TestTimeLimitLeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, err := jobgen.Map(t.Context(), numbers(4), func(ctx context.Context, i int) (int, error) {
			if i == 2 {
				time.Sleep(time.Hour) // does not heed its context
			}
			time.Sleep(30 * time.Second)
			return i + 1, nil
		}, jobgen.JobTimeout(time.Minute), jobgen.CollectErrors(), jobgen.Workers(2))
		var te *jobgen.TimeoutError
		if !errors.As(err, &te) || te.Limit != time.Minute || te.Elapsed != time.Hour+30*time.Second || te.Err != nil || !te.Timeout() {
			t.Errorf("the job was late: %v", err)
		}
		if !slices.Equal(out, []int{1, 2, 0, 4}) {
			t.Errorf("results %v", out)
		}
	})
}

func TestRetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		_, err := jobgen.Map(t.Context(), numbers(1), func(ctx context.Context, i int) (int, error) {
			at = append(at, time.Since(start))
			if n := jobgen.Attempt(ctx); n != len(at) {
				t.Errorf("attempt %d calls itself %d", len(at), n)
			}
			return 0, errors.New("again")
		}, jobgen.Retry(4, time.Second))
		var e *jobgen.JobError
		if !errors.As(err, &e) || e.Attempt != 4 || len(at) != 4 {
			t.Fatalf("%d attempts: %v", len(at), err)
		}
		for i, most := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if d := at[i+1] - at[i]; d > most || d < most/2 {
				t.Errorf("waited %v before attempt %d, want %v to %v", d, i+2, most/2, most)
			}
		}
	})
}

func TestRetryEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := jobgen.Map(ctx, numbers(1), func(ctx context.Context, i int) (int, error) {
			return 0, errors.New("again")
		}, jobgen.Retry(1000, time.Hour))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		var e *jobgen.JobError
		if !errors.As(err, &e) || e.Attempt != 1 {
			t.Errorf("the job's own failure is lost: %v", err)
		}
	})
}

func TestErrorsThatAreNotOurs(t *testing.T) {
	// A job that returns context.Canceled on its own account has failed.
	_, err := jobgen.Map(t.Context(), numbers(3), func(_ context.Context, i int) (int, error) {
		if i == 1 {
			return 0, context.Canceled
		}
		return 0, nil
	})
	var e *jobgen.JobError
	if !errors.As(err, &e) || e.Index != 1 {
		t.Errorf("a job's own context.Canceled: %v", err)
	}
}

func TestInstancesAreOwn(t *testing.T) {
	// Each worker scribbles on its own copy; Setup and Close are called once for each.
	type state struct{ uses, closed int }
	var mu sync.Mutex
	var all []*state
	r := jobgen.NewRunner(jobgen.Spec[int, int]{Name: "x.Scribbler", New: func() jobgen.Instance[int, int] {
		s := &state{}
		return jobgen.Instance[int, int]{
			Setup: func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, s)
				return nil
			},
			Do:    func(_ context.Context, i int) (int, error) { s.uses++; return i, nil },
			Close: func() error { s.closed++; return nil },
		}
	}}, jobgen.Workers(3))
	if _, err := r.Run(t.Context(), numbers(1000)); err != nil {
		t.Fatal(err)
	}
	uses := 0
	for _, s := range all {
		uses += s.uses
		if s.closed != 1 {
			t.Errorf("Close was called %d times", s.closed)
		}
	}
	if uses != 1000 || len(all) > 3 {
		t.Errorf("%d jobs on %d instances", uses, len(all))
	}
}

func TestRunN(t *testing.T) {
	r := jobgen.NewRunner(jobgen.Spec[int8, int]{Name: "x.Square", New: func() jobgen.Instance[int8, int] {
		return jobgen.Instance[int8, int]{Do: func(_ context.Context, i int8) (int, error) { return int(i) * int(i), nil }}
	}})
	out, err := jobgen.RunN(t.Context(), &r, 128)
	if err != nil || out[127] != 127*127 {
		t.Errorf("RunN(128): %v", err)
	}
	for _, n := range []int{-1, 129, 1000} {
		var e *jobgen.RunError
		if out, err := jobgen.RunN(t.Context(), &r, n); !errors.As(err, &e) || out != nil || e.NotRun != max(n, 0) {
			t.Errorf("RunN(%d): %v", n, err)
		}
	}
}

func TestZeroRunner(t *testing.T) {
	var r jobgen.Runner[int, int]
	if _, err := r.Run(t.Context(), numbers(3)); err == nil || !strings.Contains(err.Error(), "constructor") {
		t.Errorf("a zero Runner: %v", err)
	}
	if _, err := jobgen.Map[int, int](t.Context(), numbers(3), nil); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("a nil function: %v", err)
	}
	if _, err := r.Batch(t.Context()).Wait(); err == nil {
		t.Error("a batch of a zero Runner has no error")
	}
}

// A Setup that panics, or ends its goroutine, is called once, and ends the run.
func TestSetupPanics(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic("deliberate") }, "goexit": runtime.Goexit} {
		calls := 0
		r := jobgen.NewRunner(jobgen.Spec[int, int]{Name: "example.com/p.W", New: func() jobgen.Instance[int, int] {
			return jobgen.Instance[int, int]{
				Setup: func(context.Context) error { calls++; fail(); return nil },
				Do:    func(_ context.Context, in int) (int, error) { return in, nil },
			}
		}}, jobgen.Workers(1))
		_, err := r.Run(t.Context(), []int{1, 2, 3})
		var run *jobgen.RunError
		if !errors.As(err, &run) || run.Cause == nil || run.NotRun != 3 || !strings.Contains(err.Error(), "Setup") || calls != 1 {
			t.Errorf("%s: after %d calls: %v", name, calls, err)
		}
	}
}
