package jobgen

import (
	"context"
	"errors"
	"time"
)

// settle decides what becomes of the current job, whose last attempt ended with out and err. It
// makes further attempts where they are due.
func (l *lane[In, Out]) settle(out Out, err error) {
	for err != nil {
		if !l.again(err) {
			return
		}
		out, err = l.try()
	}
	l.succeeded(out)
}

// succeeded puts the result in its place.
func (l *lane[In, Out]) succeeded(out Out) {
	if l.places.out == nil {
		l.finished(out, nil)
		return
	}
	l.places.out[l.job-l.places.base] = out
	l.ready()
}

// ready marks the place of the current job, and leaves the lane ready for the next one.
func (l *lane[In, Out]) ready() {
	if l.places.out != nil && l.places.ready != nil {
		l.places.ready[l.job-l.places.base].Store(l.places.lap)
		l.run.consumer.tell()
		l.run.consumer.hurry()
	}
	l.next()
}

// next forgets the current job.
func (l *lane[In, Out]) next() {
	if l.tries != int(l.task.first.Load()) || l.ctx.touched.Load() {
		l.tries = int(l.task.first.Load())
		l.renewContext()
	}
}

func (l *lane[In, Out]) finished(out Out, err error) {
	o := &l.outcome
	if !l.run.hosted { // which is done with it when the call returns
		o = new(Outcome[Out])
	}
	*o = Outcome[Out]{
		Index: int(l.job), Value: out, Err: err, Attempt: l.tries, Worker: l.id,
		Start: l.times.start, Elapsed: l.times.elapsed,
	}
	l.task.store.finished(o)
	l.ready()
}

// again reports whether the current job, which failed with err, is to be tried once more, and has
// waited for the time between attempts. If not, the job has been settled.
func (l *lane[In, Out]) again(err error) bool {
	if l.interrupted(err) {
		l.skipJob()
		return false
	}
	e := &JobError{
		Index: int(l.job), Attempt: l.tries, Worker: l.id,
		Job: describe(l.task.spec.name(), l.input()), Err: err,
	}
	again := l.tries < l.run.cfg.attempts && !l.run.stopped()
	for _, f := range l.run.jobFailed {
		f(l.run.info, e, again)
	}
	if !again {
		l.fails++
		l.jobFailedForGood(e)
		return false
	}
	sleep(l.ctx, l.run.cfg.wait(l.tries+1))
	switch limit := l.run.limit.Load(); {
	case limit != allStop && l.job > limit: // a job before this one has failed for good
		l.skipJob()
		return false
	case l.ctx.Err() != nil, !l.live && !l.setUp(): // the run ends; what is known is that it failed
		l.fails++
		l.run.cutShort.Store(true)
		l.jobFailedForGood(e)
		return false
	}
	l.tries++
	l.renewContext()
	return true
}

// interrupted reports whether a job failed only because its run had ended, or a job before it had
// failed: then it did not fail, it was stopped.
func (l *lane[In, Out]) interrupted(err error) bool {
	if l.run.ctx.Err() != nil && !l.run.stopped() {
		// The job heard of the end before the run did.
		l.run.cancelled(l.run.ctx)
	}
	limit := l.run.limit.Load()
	if l.job <= limit || l.run.hosted {
		return false
	}
	if limit != allStop {
		return true
	}
	cause := context.Cause(l.run.ctx)
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		cause != nil && errors.Is(err, cause)
}

// skipJob leaves the current job, which has begun, without a result.
func (l *lane[In, Out]) skipJob() {
	l.run.skip(span{l.job, l.job + 1}, true)
	l.next()
}

// giveUp leaves job, which was taken and not begun, and the rest of the claim unrun.
func (l *lane[In, Out]) giveUp(job int64) {
	l.run.skip(span{job, job + 1}, false)
	l.drop()
}

func (l *lane[In, Out]) jobFailedForGood(e *JobError) {
	l.run.failedJob(e)
	if l.places.out == nil {
		l.finished(l.task.missing, e)
		return
	}
	l.places.out[l.job-l.places.base] = l.task.missing
	l.task.store.failed(l.job, e)
	l.ready()
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
