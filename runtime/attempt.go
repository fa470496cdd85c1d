package jobgen

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// times says when the last attempt of a lane's current job began, and how long it took.
type times struct {
	start   time.Time
	elapsed time.Duration
	release context.CancelFunc // of the time limit's context
}

// TimeoutError is the error of a job that ran for longer than [JobTimeout] allows. It unwraps to
// context.DeadlineExceeded and to what the job returned.
type TimeoutError struct {
	Limit   time.Duration
	Elapsed time.Duration
	Err     error // what the job returned in the end; nil if it succeeded, too late
}

func (e *TimeoutError) Error() string {
	s := fmt.Sprintf("the job took %v, its limit is %v", e.Elapsed.Round(time.Microsecond), e.Limit)
	if e.Err != nil && !errors.Is(e.Err, context.DeadlineExceeded) {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns context.DeadlineExceeded and Err.
func (e *TimeoutError) Unwrap() []error { return []error{context.DeadlineExceeded, e.Err} }

// Timeout reports true, as errors of package net do.
func (e *TimeoutError) Timeout() bool { return true }

// runPlain runs the claimed jobs when nobody wants to know more of them than their results. A job
// of a few nanoseconds spends its time in this loop: there is no clock in it, no lock, and no
// allocation.
func (l *lane[In, Out]) runPlain() {
	p, do, ctx, seat := l.places, l.inst.Do, l.ctx, l.seat
	for n := 1; ; n++ {
		job, ok := seat.take()
		if !ok {
			return
		}
		if job > l.run.limit.Load() {
			l.giveUp(job)
			return
		}
		k := job - p.base
		l.job, l.phase = job, phaseJob
		ctx.index = int(job)
		out, err := do(ctx, p.in[k])
		l.phase = phaseHook
		l.pace.ran++
		if err != nil {
			l.settle(out, err)
			do, ctx = l.inst.Do, l.ctx // made anew if a further attempt panicked
			continue
		}
		p.out[k] = out
		if p.ready != nil {
			p.ready[k].Store(p.lap)
			// A consumer that looked at the places themselves would take them away from this
			// processor each time. So it is told of the first result of a chunk, the second, the
			// fourth: seldom, and yet soon should the jobs turn out to be slow.
			if n&(n-1) == 0 {
				l.run.consumer.tell()
			}
			l.run.consumer.hurry()
		}
		if ctx.touched.Load() {
			l.renewContext()
			ctx = l.ctx
		}
	}
}

// runTimed runs the claimed jobs when their times, their outcomes or a time limit matter.
func (l *lane[In, Out]) runTimed() {
	for {
		job, ok := l.seat.take()
		if !ok {
			return
		}
		if job > l.run.limit.Load() {
			l.giveUp(job)
			return
		}
		l.job = job
		k := job - l.places.base
		l.in = l.places.in[k]
		if l.places.out == nil && l.places.ready != nil {
			var none In
			l.places.in[k] = none
			l.places.ready[k].Store(l.places.lap)
			l.run.consumer.hurry()
		}
		out, err := l.try()
		l.pace.ran++
		l.settle(out, err)
	}
}

// try runs the current job once, within its time limit.
func (l *lane[In, Out]) try() (Out, error) {
	if l.link != nil {
		return l.tryRemote()
	}
	if l.ctx.touched.Load() {
		l.renewContext()
	}
	l.ctx.index = int(l.job)
	ctx := context.Context(l.ctx)
	if l.times.start = (time.Time{}); !l.run.untimed { // nobody wants to know
		l.times.start = time.Now()
	}
	if limit := l.run.cfg.timeout; limit > 0 {
		ctx, l.times.release = context.WithTimeout(ctx, limit)
	}
	for _, f := range l.run.jobStarted {
		f(l.run.info, l.jobInfo(nil))
	}
	l.phase = phaseJob
	out, err := l.inst.Do(ctx, l.input())
	l.phase = phaseHook
	err = l.ended(err)
	return out, err
}

// ended closes an attempt: it measures it, holds it to its time limit, and tells the observers. It
// returns the error of the attempt.
func (l *lane[In, Out]) ended(err error) error {
	a := &l.times
	if a.start.IsZero() {
		return err // nobody asked
	}
	a.elapsed = time.Since(a.start)
	if a.release != nil {
		a.release()
		a.release = nil
	}
	if limit := l.run.cfg.timeout; limit > 0 && a.elapsed >= limit && !isPanic(err) {
		err = &TimeoutError{Limit: limit, Elapsed: a.elapsed, Err: err}
	}
	for _, f := range l.run.jobDone {
		f(l.run.info, l.jobInfo(err))
	}
	return err
}

func isPanic(err error) bool {
	_, ok := err.(*PanicError)
	return ok || err == ErrGoexit
}

func (l *lane[In, Out]) jobInfo(err error) JobInfo {
	return JobInfo{
		Index: int(l.job), Attempt: l.tries, Worker: l.id,
		Start: l.times.start, Elapsed: l.times.elapsed, Err: err,
	}
}

// input returns the input of the current job.
func (l *lane[In, Out]) input() In {
	if l.run.plain || l.link != nil {
		return l.places.in[l.job-l.places.base]
	}
	return l.in
}
