package jobgen

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// Outcome is what became of one job.
type Outcome[Out any] struct {
	Index   int   // the job's place among the inputs; -1 if Err is that of the whole run
	Value   Out   // what Do returned; zero or NaN if the job failed
	Err     error // nil, a [*JobError], or with Index -1 a [*RunError]
	Attempt int   // from 1
	Worker  string
	Start   time.Time     // of the last attempt
	Elapsed time.Duration // of the last attempt
}

// unordered is the store of an unordered stream: inputs lie in a ring until their job begins, outcomes
// in a queue until they are handed on.
type unordered[In, Out any] struct {
	task    *task[In, Out]
	run     *run
	ring    *ring[In, Out]
	ahead   window
	yielded int64
	failure *Outcome[Out] // of the first job that failed, where the run stops at it

	taken []*Outcome[Out] // from the queue, and not yet handed on

	mu     sync.Mutex
	queue  []*Outcome[Out]
	queued atomic.Int64 // its length
}

func (u *unordered[In, Out]) places(jobs span) places[In, Out] {
	p := u.ring.places(jobs)
	p.out = nil
	return p
}

func (u *unordered[In, Out]) failed(int64, *JobError) {}

func (u *unordered[In, Out]) finished(o *Outcome[Out]) {
	u.mu.Lock()
	u.queue = append(u.queue, o)
	u.queued.Add(1)
	u.mu.Unlock()
	u.run.consumer.send()
}

func unorderedAll[In, Out any](ctx context.Context, spec *Spec[In, Out], cfg config, inputs iter.Seq[In], yield func(Outcome[Out]) bool) {
	r := startRun(ctx, spec, cfg, -1, true)
	w := newWindow[In, Out](r)
	u := &unordered[In, Out]{run: r, ring: newRing[In, Out](int(w.most(int64(len(r.seats)))), int(w.chunk)), ahead: w}
	r.ring, r.remember = u.ring.mask+1, !cfg.collect
	u.task = newTask[In, Out](r, spec, u, int(w.chunk))
	if !u.forward(inputs, yield) {
		return
	}
	err := u.task.finish()
	if err == nil {
		return
	}
	if run := err.(*RunError); run.Cause == nil && len(run.Jobs) == 1 && u.failure != nil {
		yield(*u.failure)
		return
	}
	yield(Outcome[Out]{Index: -1, Value: u.task.missing, Err: err})
}

// forward yields outcomes until there are no more, and reports whether the consumer is still there.
func (u *unordered[In, Out]) forward(inputs iter.Seq[In], yield func(Outcome[Out]) bool) (staying bool) {
	why := errPanicPassed
	defer func() {
		if !staying {
			u.task.abandon(why)
		}
	}()
	staying, why = u.pass(inputs, yield), nil
	return staying
}

// pass is forward without an answer to panics.
func (u *unordered[In, Out]) pass(inputs iter.Seq[In], yield func(Outcome[Out]) bool) (staying bool) {
	if u.run.limit.Load() == noLimit {
		for in := range inputs {
			u.put(in)
			for {
				if o := u.pop(); o != nil {
					if !u.hand(o, yield) {
						return false
					}
				} else if u.run.limit.Load() == noLimit && u.full() {
					u.run.consumer.until(func() bool { return u.queued.Load() > 0 || u.run.limit.Load() != noLimit || !u.full() })
				} else {
					break
				}
			}
			if u.run.limit.Load() != noLimit {
				break
			}
		}
	}
	u.run.readInput()
	u.run.close()
	for {
		u.run.consumer.until(func() bool { return u.queued.Load() > 0 || u.run.alive.Load() == 0 })
		o := u.pop()
		if o == nil {
			return true
		}
		if !u.hand(o, yield) {
			return false
		}
	}
}

func (u *unordered[In, Out]) put(in In) {
	u.ring.put(u.run.tail.Load(), in)
	u.task.add()
}

// full reports whether no input may be taken: the window is full, or the place where the next one
// would go holds one whose job has not begun.
func (u *unordered[In, Out]) full() bool {
	next := u.run.tail.Load()
	if !u.ring.isFree(next) {
		return true
	}
	return !u.ahead.fits(next - u.yielded)
}

// pop returns the next outcome, or nil if there is none yet.
func (u *unordered[In, Out]) pop() *Outcome[Out] {
	if len(u.taken) == 0 {
		u.mu.Lock()
		u.taken, u.queue = u.queue, nil
		u.mu.Unlock()
	}
	if len(u.taken) == 0 {
		return nil
	}
	o := u.taken[0]
	u.taken[0] = nil
	u.taken = u.taken[1:]
	u.queued.Add(-1)
	return o
}

// hand yields an outcome. Where the run stops at the first failure, failures are kept back until
// it is known which one a serial loop would have met first.
func (u *unordered[In, Out]) hand(o *Outcome[Out], yield func(Outcome[Out]) bool) bool {
	u.yielded++
	if o.Err != nil && !u.run.cfg.collect {
		if u.failure == nil || o.Index < u.failure.Index {
			u.failure = o
		}
		return true
	}
	return yield(*o)
}
