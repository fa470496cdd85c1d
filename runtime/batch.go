package jobgen

import (
	"context"
	"errors"
	"sync"
)

// Batch runs jobs that are submitted one by one; [Runner.Batch] makes it. Its methods may be called
// concurrently. A batch keeps the results of all its jobs until it is dropped; where there is no
// end to them, [Runner.Stream] holds less.
type Batch[In, Out any] struct {
	t *task[In, Out]

	mu      sync.Mutex
	jobs    []*batchJob[In, Out]
	over    error // no job begins any more, and why
	refused int   // jobs that were submitted after that …
	waited  bool  // … and before Wait
	inline  bool  // jobs are running on a submitter's goroutine
	wait    sync.Once
	results []Out
	err     error

	end     sync.Once // of the run: by Wait, or when ctx ends
	ended   error     // of the run …
	counted int       // … which knows of so many refused jobs
	crashed any       // a panic of an observer, for whoever waits
}

type batchJob[In, Out any] struct {
	in     In // forgotten when the job begins
	future *Future[Out]
}

// Future is the result, to come, of one job of a [Batch].
type Future[Out any] struct {
	done  chan struct{} // closed when value and err are set
	value Out
	err   error
}

// batchChunk bounds how many submitted jobs one worker claims at a time.
const batchChunk = 64

func newBatch[In, Out any](ctx context.Context, spec *Spec[In, Out], cfg config, err error) *Batch[In, Out] {
	b := &Batch[In, Out]{}
	if err != nil {
		b.over = err
		return b
	}
	r := startRun(ctx, spec, cfg, -1, true)
	b.t = newTask[In, Out](r, spec, (*batchStore[In, Out])(b), batchChunk)
	context.AfterFunc(r.ctx, func() {
		b.stopAbove(allStop, context.Cause(r.ctx))
		if b.t.inline == nil { // or else a job may be running on somebody's goroutine
			b.release()
		}
	})
	return b
}

// Submit starts a job, as soon as a worker is free, and returns its future. It does not block, but
// in debug mode it runs the job before it returns. When the batch has stopped, because a job failed
// or ctx ended or Wait was called, the job is not run, and the future says so. A job must not wait
// for another one of its own batch, which may be queued behind it.
func (b *Batch[In, Out]) Submit(in In) *Future[Out] {
	f := &Future[Out]{done: make(chan struct{})}
	if b.submit(in, f) {
		b.runInline()
	}
	return f
}

// submit queues a job. It reports true if the caller has to run it.
func (b *Batch[In, Out]) submit(in In, f *Future[Out]) (inline bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		f.resolve(f.value, notRun(b.over))
		if !b.waited {
			b.jobs = append(b.jobs, &batchJob[In, Out]{future: f})
			b.refused++
		}
		return false
	}
	b.jobs = append(b.jobs, &batchJob[In, Out]{in, f})
	if b.t.inline == nil {
		b.t.add()
		return false
	}
	b.t.run.publish()
	inline = !b.inline // a job that runs here now submits another one: it is run after it
	b.inline = true
	return inline
}

// runInline runs what has been submitted on the calling goroutine, in debug mode.
func (b *Batch[In, Out]) runInline() {
	more := true
	defer func() {
		if more { // a panic passes
			b.t.run.interrupt(errPanicPassed)
			b.mu.Lock()
			b.inline = false
			b.mu.Unlock()
		}
	}()
	for more {
		b.t.inline.step()
		b.mu.Lock()
		more = b.t.run.cursor.Load() < b.t.run.bound()
		b.inline = more
		b.mu.Unlock()
	}
}

// Wait waits until all submitted jobs have ended, and returns their results in the order of their
// submission, with the error that [Runner.Run] would return. Jobs submitted later are not run.
func (b *Batch[In, Out]) Wait() ([]Out, error) {
	b.wait.Do(func() {
		b.mu.Lock()
		if b.over == nil {
			b.over = errors.New("Wait had been called on the batch")
		}
		b.waited = true
		b.mu.Unlock()
		b.release()
		b.gather()
	})
	if b.crashed != nil {
		panic(b.crashed)
	}
	return b.results, b.err
}

// release ends the run, in which no further job begins.
func (b *Batch[In, Out]) release() {
	b.end.Do(func() {
		if b.t == nil {
			return // it has not begun
		}
		b.mu.Lock()
		n := int64(len(b.jobs))
		b.t.run.skip(span{n - int64(b.refused), n}, false)
		b.counted = b.refused
		b.mu.Unlock()
		func() {
			defer func() { b.crashed = recover() }()
			b.ended = b.t.finish()
		}()
		b.stopAbove(allStop, b.ended)
	})
}

// gather reads the results off the futures, all of which are there.
func (b *Batch[In, Out]) gather() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err = b.ended; b.refused > b.counted || b.t == nil { // some were submitted when the run had ended
		e, ok := b.err.(*RunError)
		if !ok {
			e = &RunError{Cause: b.over}
			b.err = e
		}
		e.NotRun += b.refused - b.counted
	}
	b.results = make([]Out, len(b.jobs))
	var gaps spans // a job may have had a result after its future had been given up
	for i, j := range b.jobs {
		b.results[i] = j.future.value
		if j.future.err != nil {
			gaps = append(gaps, span{int64(i), int64(i) + 1})
		}
	}
	if e, ok := b.err.(*RunError); ok {
		e.jobs = len(b.jobs)
		e.gaps = gaps.tidy()
	}
}

// stopAbove resolves the futures of the jobs above last that have not been resolved: nobody will.
func (b *Batch[In, Out]) stopAbove(last int64, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over == nil {
		b.over = why
	}
	for _, j := range b.jobs[min(int(last+1), len(b.jobs)):] {
		j.future.resolve(j.future.value, notRun(why))
	}
}

func notRun(why error) error { return errors.Join(ErrNotRun, why) }

// resolve sets the result, unless it has been set. The batch's lock must be held.
func (f *Future[Out]) resolve(v Out, err error) {
	select {
	case <-f.done:
	default:
		f.value, f.err = v, err
		close(f.done)
	}
}

// Get waits until the job has ended and returns its result and error: a [*JobError], or one that
// unwraps to [ErrNotRun]. When ctx ends first, it returns context.Cause(ctx), and the job goes on.
func (f *Future[Out]) Get(ctx context.Context) (Out, error) {
	select {
	case <-f.done:
		return f.value, f.err
	default:
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none Out
		return none, context.Cause(ctx)
	}
}

// batchStore is the side of a batch that its workers see.
type batchStore[In, Out any] Batch[In, Out]

func (s *batchStore[In, Out]) batch() *Batch[In, Out] { return (*Batch[In, Out])(s) }

func (s *batchStore[In, Out]) places(jobs span) places[In, Out] {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := make([]In, jobs.len())
	for i, j := range s.jobs[jobs.lo:jobs.hi] {
		in[i] = j.in
	}
	return places[In, Out]{base: jobs.lo, in: in}
}

func (s *batchStore[In, Out]) failed(int64, *JobError) {}

func (s *batchStore[In, Out]) finished(o *Outcome[Out]) {
	s.mu.Lock()
	j := s.jobs[o.Index]
	var none In
	j.in = none
	j.future.resolve(o.Value, o.Err)
	s.mu.Unlock()
	if o.Err != nil && !s.t.run.cfg.collect {
		s.batch().stopAbove(int64(o.Index), o.Err)
	}
}
