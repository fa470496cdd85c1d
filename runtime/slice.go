package jobgen

import "context"

// sliceStore is the store of a run over a slice: inputs and results lie where the caller sees them.
type sliceStore[In, Out any] struct {
	in  []In
	out []Out
}

func (s *sliceStore[In, Out]) places(jobs span) places[In, Out] {
	return places[In, Out]{base: jobs.lo, in: s.in[jobs.lo:jobs.hi], out: s.out[jobs.lo:jobs.hi]}
}

func (s *sliceStore[In, Out]) failed(int64, *JobError)  {}
func (s *sliceStore[In, Out]) finished(o *Outcome[Out]) {}

// countStore is the store of a run over 0 … n-1, whose inputs are made where they are needed.
type countStore[In Integer, Out any] struct{ out []Out }

func (s *countStore[In, Out]) places(jobs span) places[In, Out] {
	in := make([]In, jobs.len())
	for i := range in {
		in[i] = In(jobs.lo + int64(i))
	}
	return places[In, Out]{base: jobs.lo, in: in, out: s.out[jobs.lo:jobs.hi]}
}

func (s *countStore[In, Out]) failed(int64, *JobError)  {}
func (s *countStore[In, Out]) finished(o *Outcome[Out]) {}

// runAll runs the n jobs of a store in this process and waits for them.
func runAll[In, Out any](ctx context.Context, spec *Spec[In, Out], cfg config, s store[In, Out], n int) error {
	t := newTask(startRun(ctx, spec, cfg, n, false), spec, s, maxChunk)
	t.run.tail.Store(int64(n))
	t.run.closed.Store(true)
	if t.inline != nil {
		returned := false
		defer func() {
			if !returned { // a job has panicked, and nothing is to stop it
				t.abandon(errPanicPassed)
			}
		}()
		t.inline.work()
		returned = true
		return t.finish()
	}
	for range min(t.run.crew.Load(), int64(n)) {
		t.startLane()
	}
	return t.finish()
}
