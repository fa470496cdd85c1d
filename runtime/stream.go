package jobgen

import (
	"context"
	"iter"
)

// stream yields the results of a run in order, while its input is still being read.
//
// The input is read on the consumer's goroutine, between results. So a panic in it reaches the
// consumer, and a consumer that leaves cannot strand a producer. The price is that a result waits
// while the input makes up its mind.
type stream[In, Out any] struct {
	task  *task[In, Out]
	run   *run
	ring  *ring[In, Out]
	ahead window
	put   int64 // jobs taken from the input: tail, which is dear to read, as the workers do too
	next  int64 // the first job whose result has not been yielded
	yield func(Out, error) bool
}

func streamAll[In, Out any](ctx context.Context, spec *Spec[In, Out], cfg config, inputs iter.Seq[In], yield func(Out, error) bool) {
	r := startRun(ctx, spec, cfg, -1, false)
	w := newWindow[In, Out](r)
	most := w.most(int64(len(r.seats)))
	rg := newRing[In, Out](int(most), int(w.chunk))
	r.ring, r.remember = rg.mask+1, !cfg.collect
	s := &stream[In, Out]{
		task: newTask(r, spec, rg, int(w.chunk)), run: r,
		ring: rg, ahead: w, yield: yield,
	}
	if r.session != nil && most == 1 {
		// While the one job that may be under way is elsewhere there is nothing to do here: the consumer's goroutine may
		// as well wait for the job as for another goroutine that does.
		s.task.inline = s.task.newLane(laneName(1))
	}
	if s.task.inline == nil {
		crew := r.crew.Load()
		s.run.enough = min(w.chunk, w.most(crew)/crew) / 2
	}
	if s.forward(inputs) {
		if err := s.task.finish(); err != nil {
			yield(s.task.missing, err)
		}
	}
}

// forward yields results until there are no more, and reports whether the consumer is still there.
func (s *stream[In, Out]) forward(inputs iter.Seq[In]) (staying bool) {
	why := errPanicPassed
	defer func() {
		if !staying {
			s.task.abandon(why)
		}
	}()
	staying, why = s.pass(inputs), nil
	return staying
}

// pass is forward without an answer to panics.
func (s *stream[In, Out]) pass(inputs iter.Seq[In]) (staying bool) {
	if s.run.limit.Load() == noLimit {
		for in := range inputs {
			s.ring.put(s.put, in)
			s.put++
			s.task.add()
			for s.run.consumer.heard() && s.headReady() || s.full() {
				if s.roomier() {
					break
				}
				if more, left := s.emitReady(); left {
					return false
				} else if !more {
					return true
				}
			}
			if s.run.limit.Load() != noLimit {
				break
			}
		}
	}
	s.run.readInput()
	s.run.close()
	for s.next < s.put {
		if more, left := s.emit(); left {
			return false
		} else if !more {
			break
		}
	}
	return true
}

func (s *stream[In, Out]) headReady() bool {
	return s.next < s.put && s.ring.isReady(s.next)
}

func (s *stream[In, Out]) full() bool { return !s.ahead.fits(s.put - s.next) }

// roomier waits for the next result, and reports whether there is room for more jobs before it has come.
func (s *stream[In, Out]) roomier() bool {
	if !s.headReady() {
		s.run.consumer.until(func() bool { return s.headReady() || s.run.stopped() || !s.full() })
	}
	return !s.headReady() && !s.run.stopped() && !s.full()
}

// emitReady waits for the next result, yields it, and all that are ready after it.
func (s *stream[In, Out]) emitReady() (more, left bool) {
	for {
		if more, left = s.emit(); !more || left || !s.headReady() {
			return more, left
		}
	}
}

// emit waits for the next result and yields it. It reports false if there is none because the run
// has ended, or because the job failed and the run ends with it.
func (s *stream[In, Out]) emit() (more, left bool) {
	if !s.headReady() {
		s.run.consumer.until(func() bool { return s.headReady() || s.run.stopped() })
		if !s.headReady() {
			return false, false
		}
	}
	out, failed := s.ring.take(s.next)
	s.next++
	if failed == nil {
		ok := s.yield(out, nil)
		return ok, !ok
	}
	if !s.run.cfg.collect {
		return false, false
	}
	ok := s.yield(out, failed)
	return ok, !ok
}
