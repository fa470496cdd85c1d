package jobgen_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// TestStreamStuckHead holds no more than the window while the first job is stuck.
func TestStreamStuckHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var taken atomic.Int64
		in := func(yield func(int) bool) {
			for i := 0; taken.Add(1) > 0 && yield(i); i++ {
			}
		}
		go func() {
			synctest.Wait()
			time.Sleep(time.Hour)
			if n := taken.Load(); n != 50 {
				t.Errorf("%d inputs taken while the first job is stuck, the window is 50", n)
			}
			close(release)
		}()
		next := 0
		for v, err := range jobgen.Stream(t.Context(), in, func(_ context.Context, i int) (int, error) {
			if i == 0 {
				<-release
			}
			return i, nil
		}, jobgen.Window(50), jobgen.Workers(4)) {
			if err != nil || v != next {
				t.Fatalf("result %d is %d, %v", next, v, err)
			}
			if next++; next == 200 {
				break
			}
		}
	})
}

// TestStreamSlowInput hands a result on when the next input comes, not when a chunk is full.
func TestStreamSlowInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		in := func(yield func(int) bool) {
			for i := range 2000 { // quick at first, so that chunks grow
				if !yield(i) {
					return
				}
			}
			for i := 2000; i < 2010; i++ {
				time.Sleep(time.Minute)
				synctest.Wait()
				if !yield(i) {
					return
				}
			}
		}
		next := 0
		for v, err := range jobgen.Stream(t.Context(), in, double, jobgen.Workers(2)) {
			if err != nil || v != 2*next {
				t.Fatal(v, err)
			}
			// Job 2000+k is taken k+1 minutes after the start, and yielded before the next minute.
			if k := next - 2000; k >= 0 && time.Since(start) > time.Duration(k+2)*time.Minute {
				t.Errorf("result %d came %v after the start", next, time.Since(start))
			}
			next++
		}
	})
}

// TestStreamSlowAfterQuick has a chunk that was sized for quick jobs meet slow ones: results are
// handed on one by one all the same, and idle workers take over.
func TestStreamSlowAfterQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quick, slow = 5000, 40
		var last time.Time
		next := 0
		start := time.Now()
		for v, err := range jobgen.Stream(t.Context(), slices.Values(numbers(quick+slow)), func(_ context.Context, i int) (int, error) {
			if i >= quick {
				time.Sleep(time.Second)
			}
			return i, nil
		}, jobgen.Workers(4), jobgen.Window(4096)) {
			if err != nil || v != next {
				t.Fatal(v, err)
			}
			if next > quick+4 && time.Since(last) > 2*time.Second {
				t.Errorf("result %d came %v after the one before", next, time.Since(last))
			}
			last = time.Now()
			next++
		}
		if d := time.Since(start); d > (slow/4+4)*time.Second {
			t.Errorf("%d slow jobs of a second took four workers %v", slow, d)
		}
	})
}

// TestRunSlowAfterQuick is the same for a slice: nobody is left with a chunk of slow jobs.
func TestRunSlowAfterQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quick, slow = 100_000, 40
		start := time.Now()
		_, err := jobgen.Map(t.Context(), numbers(quick+slow), func(_ context.Context, i int) (int, error) {
			if i >= quick {
				time.Sleep(time.Second)
			}
			return i, nil
		}, jobgen.Workers(4))
		if d := time.Since(start); err != nil || d != slow/4*time.Second {
			t.Errorf("%d slow jobs of a second took four workers %v, %v", slow, d, err)
		}
	})
}

// TestCancelIsPrompt has the jobs of a chunk heed the end of the run one by one.
func TestCancelIsPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 90*time.Second, errors.New("enough"))
		defer cancel()
		start := time.Now()
		_, err := jobgen.Map(ctx, numbers(10_000), func(ctx context.Context, i int) (int, error) {
			if i > 5000 {
				time.Sleep(time.Minute) // does not heed its context
			}
			return i, nil
		}, jobgen.Workers(2))
		if d := time.Since(start); d > 3*time.Minute || err == nil || err.(*jobgen.RunError).Cause.Error() != "enough" {
			t.Errorf("returned after %v: %v", d, err)
		}
	})
}

func TestStreamBreakWaitsForJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		for v, err := range jobgen.Stream(t.Context(), slices.Values(numbers(100)), func(ctx context.Context, i int) (int, error) {
			running.Add(1)
			defer running.Add(-1)
			if i > 0 {
				<-ctx.Done()
				time.Sleep(time.Second) // takes its time to clean up
				return 0, ctx.Err()
			}
			return i, nil
		}, jobgen.Workers(4)) {
			if err != nil || v != 0 {
				t.Error(v, err)
			}
			break
		}
		if n := running.Load(); n != 0 {
			t.Errorf("%d jobs are running after the loop was left", n)
		}
	})
}

func TestStreamConsumerPanics(t *testing.T) {
	defer func() {
		if v := recover(); v != "consumer" {
			t.Errorf("recovered %v", v)
		}
	}()
	for range jobgen.Stream(t.Context(), slices.Values(numbers(100)), double) {
		panic("consumer")
	}
}

// TestStreamLetsGo keeps nothing of an input and a result after the result was yielded.
func TestStreamLetsGo(t *testing.T) {
	var freed atomic.Int64
	const n = 300
	in := func(yield func(*[1 << 16]byte) bool) {
		for range n {
			b := new([1 << 16]byte)
			runtime.AddCleanup(b, func(int) { freed.Add(1) }, 0)
			if !yield(b) {
				return
			}
		}
	}
	i := 0
	for v, err := range jobgen.Stream(t.Context(), in, func(_ context.Context, b *[1 << 16]byte) (*[1 << 16]byte, error) {
		return b, nil
	}, jobgen.Window(8)) {
		_ = v
		if err != nil {
			t.Fatal(err)
		}
		if i++; i == n {
			for deadline := time.Now().Add(10 * time.Second); freed.Load() < n-16; time.Sleep(time.Millisecond) {
				runtime.GC()
				if time.Now().After(deadline) {
					t.Fatalf("%d of %d inputs can be collected while the stream is at its end", freed.Load(), n)
				}
			}
		}
	}
}

func TestStreamErrors(t *testing.T) {
	boom := errors.New("boom")
	do := func(_ context.Context, i int) (float64, error) {
		if i%10 == 5 {
			return 1, boom
		}
		return float64(i), nil
	}
	var got []int
	for v, err := range jobgen.Stream(t.Context(), slices.Values(numbers(40)), do, jobgen.CollectErrors()) {
		if err != nil {
			var e *jobgen.JobError
			if !errors.As(err, &e) || !errors.Is(err, boom) || !math.IsNaN(v) {
				t.Errorf("%v, %v", v, err)
			}
			got = append(got, e.Index)
		}
	}
	if !slices.Equal(got, []int{5, 15, 25, 35}) {
		t.Errorf("failures at %v", got)
	}
	n := 0
	var last error
	for _, err := range jobgen.Stream(t.Context(), slices.Values(numbers(40)), do) {
		last = err
		n++
	}
	var e *jobgen.RunError
	if n != 6 || !errors.As(last, &e) || !errors.Is(last, boom) || e.Jobs[0].Index != 5 {
		t.Errorf("after %d results: %v", n, last)
	}
}

func TestObserverPanicReachesTheCaller(t *testing.T) {
	boom := errors.New("observer")
	for name, o := range map[string]jobgen.Observer{
		"JobDone":  {JobDone: func(jobgen.RunInfo, jobgen.JobInfo) { panic(boom) }},
		"Advanced": {Advanced: func(jobgen.RunInfo, int, int) { panic(boom) }},
		"Worker":   {WorkerStarted: func(jobgen.RunInfo, string) { panic(boom) }},
	} {
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, boom) {
					t.Errorf("%s: recovered %v", name, err)
				}
			}()
			_, err := jobgen.Map(t.Context(), numbers(100), double, jobgen.Observe(o), jobgen.Workers(2))
			t.Errorf("%s: returned %v", name, err)
		}()
	}
}
