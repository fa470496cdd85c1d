package jobgen

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
)

// Runner runs a worker over many inputs. Generated runners embed it; see their constructors.
//
// A Runner holds no goroutines and needs no closing; each call starts its own workers and ends
// them. Its methods may be called concurrently, also from inside a job.
type Runner[In, Out any] struct {
	spec  *Spec[In, Out]
	opts  []Option
	plain bool // spec describes a plain function, which no other process knows by name
}

// NewRunner makes the runner of a worker. It is called by generated code.
func NewRunner[In, Out any](spec Spec[In, Out], opts ...Option) Runner[In, Out] {
	return Runner[In, Out]{spec: &spec, opts: slices.Clone(opts)}
}

// Run runs one job for each input and returns their results: the one at i belongs to inputs[i].
//
// The error is nil or a [*RunError]. By default the run stops at the first failure: the one that a
// serial loop would have met first, whatever the order in which jobs really ended. The results
// before it are valid, and those after it where [RunError.HasResult] says so. With [CollectErrors]
// all jobs run. When ctx ends, no further job begins, the contexts of the running ones end, and Run
// waits for them; the error then unwraps to context.Cause(ctx), unless all jobs had their results.
func (r *Runner[In, Out]) Run(ctx context.Context, inputs []In, opts ...Option) ([]Out, error) {
	s := &sliceStore[In, Out]{in: inputs, out: make([]Out, len(inputs))}
	return s.out, r.run(ctx, s, len(inputs), opts)
}

// RunN runs the jobs 0 … n-1 of a runner whose input is an integer. It is otherwise like
// [Runner.Run]; generated runners have it as a method.
func RunN[In Integer, Out any](ctx context.Context, r *Runner[In, Out], n int, opts ...Option) ([]Out, error) {
	if n < 0 {
		return nil, &RunError{Cause: fmt.Errorf("RunN(%d): the number of jobs must not be negative", n)}
	}
	if last := n - 1; n > 0 && (In(last) < 0 || uint64(In(last)) != uint64(last)) {
		return nil, &RunError{NotRun: n, jobs: n, gaps: spans{{0, int64(n)}},
			Cause: fmt.Errorf("RunN(%d): the last job, %d, does not fit in the input's type %v", n, last, reflect.TypeFor[In]())}
	}
	s := &countStore[In, Out]{out: make([]Out, n)}
	return s.out, r.run(ctx, s, n, opts)
}

// Integer is any integer type.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

func (r *Runner[In, Out]) run(ctx context.Context, s store[In, Out], n int, opts []Option) error {
	cfg, err := r.resolve(opts)
	if err != nil {
		return &RunError{NotRun: n, Cause: err, jobs: n, gaps: spans{{0, int64(n)}}}
	}
	return runAll(ctx, r.described(cfg), cfg, s, n)
}

// Stream runs one job for each input while the input is being read, and yields the results in
// order. It holds at most its [Window] of inputs and results, also while its first job is stuck.
//
// A job that fails is yielded as its missing value (zero or NaN) with a [*RunError], after which
// the stream ends; with [CollectErrors] with a [*JobError], after which it goes on. When ctx ends,
// so does the stream, with a last error that unwraps to context.Cause(ctx). Leaving the loop ends
// the contexts of running jobs and waits for them.
//
// The input is read on the calling goroutine: a panic in it passes through the loop, and while it
// blocks no result is yielded. Ranging over the stream again runs it again.
func (r *Runner[In, Out]) Stream(ctx context.Context, inputs iter.Seq[In], opts ...Option) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		cfg, err := r.resolve(opts)
		if err != nil {
			var none Out
			yield(none, &RunError{Cause: err, jobs: -1})
			return
		}
		streamAll(ctx, r.described(cfg), cfg, inputs, yield)
	}
}

// Unordered is like [Runner.Stream], but yields the outcomes as the jobs finish: one that is stuck
// holds up no other. Where the run stops at its first failure, that one's outcome comes last. An
// end for another reason is an outcome with Index -1.
func (r *Runner[In, Out]) Unordered(ctx context.Context, inputs iter.Seq[In], opts ...Option) iter.Seq[Outcome[Out]] {
	return func(yield func(Outcome[Out]) bool) {
		cfg, err := r.resolve(opts)
		if err != nil {
			yield(Outcome[Out]{Index: -1, Err: &RunError{Cause: err, jobs: -1}})
			return
		}
		unorderedAll(ctx, r.described(cfg), cfg, inputs, yield)
	}
}

// Batch returns a batch of jobs that start when they are submitted. Wait must be called on it, or
// ctx must end, to release its workers; in debug mode, where jobs run on the caller's goroutine, only Wait does.
func (r *Runner[In, Out]) Batch(ctx context.Context, opts ...Option) *Batch[In, Out] {
	cfg, err := r.resolve(opts)
	return newBatch(ctx, r.described(cfg), cfg, err)
}

// described is the spec for a run: on a backend that of the registered instance of a generic worker.
func (r *Runner[In, Out]) described(cfg config) *Spec[In, Out] {
	if cfg.backend == nil || cfg.debug || r.spec.Instance == nil {
		return r.spec
	}
	s := r.spec.Instance()
	return &s
}

func (r *Runner[In, Out]) resolve(opts []Option) (config, error) {
	if r.spec == nil {
		return config{}, errors.New("the runner was not made by its constructor (New…Runner)")
	}
	if r.plain && r.spec.New == nil {
		return config{}, errors.New("the function to run is nil")
	}
	return resolve(r.opts, opts, !r.plain)
}

// Map runs do on each input and returns the results: the one at i belongs to inputs[i]. It is
// [Runner.Run] for a function without generated code, in this process only.
func Map[In, Out any](ctx context.Context, inputs []In, do func(context.Context, In) (Out, error), opts ...Option) ([]Out, error) {
	r := funcRunner(do, opts)
	return r.Run(ctx, inputs)
}

// Stream runs do on each input while the input is being read, and yields the results in order. It
// is [Runner.Stream] for a function without generated code, in this process only.
func Stream[In, Out any](ctx context.Context, inputs iter.Seq[In], do func(context.Context, In) (Out, error), opts ...Option) iter.Seq2[Out, error] {
	r := funcRunner(do, opts)
	return r.Stream(ctx, inputs)
}

func funcRunner[In, Out any](do func(context.Context, In) (Out, error), opts []Option) Runner[In, Out] {
	spec := &Spec[In, Out]{}
	if do != nil {
		spec.function = reflect.ValueOf(do).Pointer()
		spec.New = func() Instance[In, Out] { return Instance[In, Out]{Do: do} }
	}
	return Runner[In, Out]{spec: spec, opts: opts, plain: true}
}
