package jobgen_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

var errWhy = errors.New("why")

// ended is a context that has ended because of errWhy.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errWhy)
	return ctx
}

// A stream says that it was cut short, also before its first input, and where the input ends because it watches the same context.
func TestStreamsTellTheEndOfTheirContext(t *testing.T) {
	double := func(_ context.Context, i int) (int, error) { return 2 * i, nil }
	if err := last(jobgen.Stream(ended(t), slices.Values([]int{1, 2}), double)); !errors.Is(err, errWhy) {
		t.Errorf("on a context that has ended: %v", err)
	}
	spec := jobgen.Spec[int, int]{Name: "example.com/release.Double", New: func() jobgen.Instance[int, int] {
		return jobgen.Instance[int, int]{Do: double}
	}}
	r := jobgen.NewRunner(spec)
	var outcome jobgen.Outcome[int]
	for outcome = range r.Unordered(ended(t), slices.Values([]int{1, 2})) {
	}
	if outcome.Index != -1 || !errors.Is(outcome.Err, errWhy) {
		t.Errorf("unordered, on a context that has ended: %+v", outcome)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	watching := func(yield func(int) bool) {
		for i := 0; ctx.Err() == nil && yield(i); i++ {
			if i == 10 {
				cancel(errWhy)
			}
		}
	}
	if err := last(jobgen.Stream(ctx, watching, double)); !errors.Is(err, errWhy) {
		t.Errorf("with an input that watches the context: %v", err)
	}
	if err := last(jobgen.Stream(t.Context(), slices.Values([]int{1, 2}), double)); err != nil {
		t.Error(err)
	}
}

// last returns the last error of a stream: nil if it had none.
func last(results iter.Seq2[int, error]) (err error) {
	for _, err = range results {
	}
	return err
}

// A batch whose context ends lets go of its workers without Wait, and tells its observers.
func TestBatchEndsWithItsContext(t *testing.T) {
	closed, done := make(chan bool, 8), make(chan error, 1)
	spec := jobgen.Spec[int, int]{Name: "example.com/release.Closing", New: func() jobgen.Instance[int, int] {
		return jobgen.Instance[int, int]{
			Do:    func(_ context.Context, i int) (int, error) { return i, nil },
			Close: func() error { closed <- true; return nil },
		}
	}}
	ctx, cancel := context.WithCancelCause(t.Context())
	r := jobgen.NewRunner(spec, jobgen.Workers(1), jobgen.Observe(jobgen.Observer{RunDone: func(_ jobgen.RunInfo, err error) { done <- err }}))
	b := r.Batch(ctx)
	if v, err := b.Submit(7).Get(t.Context()); v != 7 || err != nil {
		t.Fatal(v, err)
	}
	cancel(errWhy)
	for _, what := range []func() error{func() error { <-closed; return nil }, func() error { return <-done }} {
		end := make(chan error, 1)
		go func() { end <- what() }()
		select {
		case err := <-end:
			if err != nil {
				t.Errorf("RunDone was told %v, though all jobs had their results", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it does not let go")
		}
	}
	if _, err := b.Submit(8).Get(t.Context()); !errors.Is(err, jobgen.ErrNotRun) || !errors.Is(err, errWhy) {
		t.Errorf("a job that comes later: %v", err)
	}
	out, err := b.Wait()
	var e *jobgen.RunError
	if !errors.As(err, &e) || !errors.Is(err, errWhy) || e.NotRun != 1 || !e.HasResult(0) || e.HasResult(1) || !slices.Equal(out, []int{7, 0}) {
		t.Errorf("Wait returned %v, %+v", out, err)
	}
}

// A batch with an option that makes no sense has places for its jobs, like a run.
func TestBatchWithABadOption(t *testing.T) {
	spec := jobgen.Spec[int, int]{Name: "example.com/release.Never", New: func() jobgen.Instance[int, int] { return jobgen.Instance[int, int]{} }}
	r := jobgen.NewRunner(spec)
	b := r.Batch(t.Context(), jobgen.Workers(-3))
	b.Submit(1)
	out, err := b.Wait()
	var e *jobgen.RunError
	if !errors.As(err, &e) || e.NotRun != 1 || e.Cause == nil || len(out) != 1 {
		t.Errorf("%v, %v", out, err)
	}
}

// Jobs that are submitted after one that panicked in debug mode are not run, and Wait says why.
func TestBatchAfterAPanicInDebugMode(t *testing.T) {
	spec := jobgen.Spec[int, int]{Name: "example.com/release.Panics", New: func() jobgen.Instance[int, int] {
		return jobgen.Instance[int, int]{Do: func(_ context.Context, i int) (int, error) {
			if i == 1 {
				panic(errWhy)
			}
			return i, nil
		}}
	}}
	var told error
	r := jobgen.NewRunner(spec, jobgen.Debug(), jobgen.Observe(jobgen.Observer{RunDone: func(_ jobgen.RunInfo, err error) { told = err }}))
	b := r.Batch(t.Context())
	func() {
		defer func() {
			if recover() != errWhy {
				t.Error("the panic has not passed")
			}
		}()
		b.Submit(1)
	}()
	b.Submit(2)
	if out, err := b.Wait(); err == nil || told == nil || len(out) != 2 {
		t.Errorf("Wait returned %v, %v; RunDone was told %v", out, err, told)
	}
}

// A Setup that ends because the context has does not hide why that has.
func TestSetupThatHeedsItsContext(t *testing.T) {
	for _, opts := range [][]jobgen.Option{nil, {jobgen.Debug()}} {
		for range 20 {
			ctx, cancel := context.WithCancelCause(t.Context())
			spec := jobgen.Spec[int, int]{Name: "example.com/release.Slow", New: func() jobgen.Instance[int, int] {
				return jobgen.Instance[int, int]{
					Setup: func(ctx context.Context) error { cancel(errWhy); <-ctx.Done(); return ctx.Err() },
					Do:    func(context.Context, int) (int, error) { return 0, nil },
				}
			}}
			r := jobgen.NewRunner(spec, opts...)
			if _, err := r.Run(ctx, []int{1, 2, 3}); !errors.Is(err, errWhy) {
				t.Fatalf("the run returned %v", err)
			}
		}
	}
}

// Only jobs that a stream has taken can have had results.
func TestHasResultOfAStream(t *testing.T) {
	var err error
	for _, err = range jobgen.Stream(t.Context(), slices.Values([]int{0, 1, 2}), func(_ context.Context, i int) (int, error) {
		if i == 1 {
			return 0, errWhy
		}
		return i, nil
	}) {
	}
	var e *jobgen.RunError
	if !errors.As(err, &e) || !e.HasResult(0) || e.HasResult(1) || e.HasResult(3) || e.HasResult(1000) {
		t.Errorf("%v", err)
	}
}
