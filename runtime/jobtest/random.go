package jobtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// random makes up runs: what the jobs do, how they are run, and what happens meanwhile.
func random(t *testing.T, p Place) {
	rapid.Check(t, func(rt *rapid.T) {
		pl := drawPlan(rt, p)
		s := Script{Factor: factor, OneByOne: rapid.Bool().Draw(rt, "one by one")}
		r := p.runner(s, pl.options()...)
		switch rapid.SampledFrom([]string{"Run", "Stream", "Unordered", "Batch"}).Draw(rt, "mode") {
		case "Run":
			out, err := r.Run(context.Background(), pl.steps)
			checkRun(rt, pl.steps, pl.attempts, pl.collect, out, err)
		case "Stream":
			pl.stream(rt, r)
		case "Unordered":
			pl.unordered(rt, r)
		case "Batch":
			b := r.Batch(context.Background())
			var futures []*jobgen.Future[float64]
			for _, s := range pl.steps {
				futures = append(futures, b.Submit(s))
			}
			out, err := b.Wait()
			checkRun(rt, pl.steps, pl.attempts, pl.collect, out, err)
			pl.futures(rt, futures)
		}
	})
}

type plan struct {
	steps    []Step
	workers  int
	attempts int
	collect  bool
	window   int
	leave    int // after so many results of a stream, the consumer leaves
}

func drawPlan(rt *rapid.T, p Place) *plan {
	acts := []Act{Fail, Flaky}
	if !p.Bare {
		acts = append(acts, Panic, PanicErr, Goexit)
	}
	n := rapid.IntRange(0, 120).Draw(rt, "jobs")
	pl := &plan{
		steps:    make([]Step, n),
		workers:  rapid.IntRange(1, 5).Draw(rt, "workers"),
		attempts: rapid.IntRange(1, 3).Draw(rt, "attempts"),
		collect:  rapid.Bool().Draw(rt, "collect"),
		window:   rapid.SampledFrom([]int{0, 0, 1, 2, 7}).Draw(rt, "window"),
		leave:    n + 1,
	}
	for i := range pl.steps {
		pl.steps[i].Arg = i * 10
	}
	for range rapid.IntRange(0, 6).Draw(rt, "failures") {
		if n == 0 {
			break
		}
		i := rapid.IntRange(0, n-1).Draw(rt, "at")
		pl.steps[i].Act = rapid.SampledFrom(acts).Draw(rt, "act")
		pl.steps[i].Fails = rapid.IntRange(0, 3).Draw(rt, "fails")
	}
	for range rapid.IntRange(0, 8).Draw(rt, "slow") {
		if n == 0 {
			break
		}
		i := rapid.IntRange(0, n-1).Draw(rt, "slow at")
		pl.steps[i].Spin = time.Duration(rapid.IntRange(1, 300).Draw(rt, "µs")) * time.Microsecond
	}
	if rapid.IntRange(0, 3).Draw(rt, "leave") == 0 {
		pl.leave = rapid.IntRange(0, n).Draw(rt, "leave after")
	}
	return pl
}

func (pl *plan) options() []jobgen.Option {
	opts := []jobgen.Option{jobgen.Workers(pl.workers), jobgen.Retry(pl.attempts, 0), jobgen.Seed(seed), jobgen.Window(pl.window)}
	if pl.collect {
		opts = append(opts, jobgen.CollectErrors())
	}
	return opts
}

// stream checks the results of a stream one by one.
func (pl *plan) stream(t *rapid.T, r *jobgen.Runner[Step, float64]) {
	i, over := 0, false
	for v, err := range r.Stream(context.Background(), slices.Values(pl.steps)) {
		if over || i == len(pl.steps) {
			t.Fatalf("result %d after the end: %v, %v", i, v, err)
		}
		if pl.steps[i].fails(pl.attempts) {
			checkFailure(t, i, pl.steps[i], pl.attempts, err)
			checkMissing(t, i, v)
			var e *jobgen.RunError
			if over = !pl.collect; over != errors.As(err, &e) {
				t.Errorf("job %d failed with a %T", i, err)
			}
		} else if err != nil {
			t.Fatalf("job %d: %v", i, err)
		} else {
			checkValue(t, i, pl.steps[i], v)
		}
		if i++; i == pl.leave {
			return
		}
	}
	want := len(pl.steps)
	if first := firstToFail(pl.steps, pl.attempts); !pl.collect && first < want {
		want = first + 1
	}
	if i != want {
		t.Fatalf("%d results, want %d", i, want)
	}
}

// unordered checks that each job is told once, and a first failure last.
func (pl *plan) unordered(t *rapid.T, r *jobgen.Runner[Step, float64]) {
	seen := make([]bool, len(pl.steps))
	n, last := 0, -1
	for o := range r.Unordered(context.Background(), slices.Values(pl.steps)) {
		if o.Index < 0 || o.Index >= len(seen) || seen[o.Index] {
			t.Fatalf("outcome of job %d: %v, %v", o.Index, o.Value, o.Err)
		}
		seen[o.Index] = true
		if pl.steps[o.Index].fails(pl.attempts) {
			checkFailure(t, o.Index, pl.steps[o.Index], pl.attempts, o.Err)
			checkMissing(t, o.Index, o.Value)
		} else if o.Err != nil {
			t.Fatalf("job %d: %v", o.Index, o.Err)
		} else {
			checkValue(t, o.Index, pl.steps[o.Index], o.Value)
		}
		if o.Worker == "" || o.Attempt < 1 || o.Start.IsZero() {
			t.Errorf("job %d: attempt %d on %q at %v", o.Index, o.Attempt, o.Worker, o.Start)
		}
		last = o.Index
		if n++; n == pl.leave {
			return
		}
	}
	if first := firstToFail(pl.steps, pl.attempts); !pl.collect && first < len(seen) {
		if last != first {
			t.Errorf("the last outcome is that of job %d, want the first failure, %d", last, first)
		}
		seen = seen[:first]
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Errorf("no outcome of job %d", i)
	}
}

// futures checks the futures of a batch that has been waited for.
func (pl *plan) futures(t *rapid.T, futures []*jobgen.Future[float64]) {
	first := firstToFail(pl.steps, pl.attempts)
	for i, f := range futures {
		v, err := f.Get(context.Background())
		switch {
		case errors.Is(err, jobgen.ErrNotRun):
			if pl.collect || i <= first {
				t.Errorf("job %d was not run: %v", i, err)
			}
		case pl.steps[i].fails(pl.attempts):
			checkFailure(t, i, pl.steps[i], pl.attempts, err)
		case err != nil:
			t.Errorf("job %d: %v", i, err)
		default:
			checkValue(t, i, pl.steps[i], v)
		}
	}
}
