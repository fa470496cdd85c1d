package jobgen

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// run is one run: what its options came to, which jobs may be begun, what failed. It does not know
// the types of inputs and results.
type run struct {
	sched
	hooks
	cfg  config
	info RunInfo

	ctx     context.Context // ends with the caller's and with the run
	cancel  context.CancelCauseFunc
	unwatch func() bool // nil: the caller's never ends
	lanes   sync.WaitGroup

	session Session // nil: the jobs run in this process
	staff   int     // jobs that its workers could run at a time, where none was there when it began; otherwise 0

	consumer signal // told of results, and of the end

	alive    atomic.Int32 // workers that have not ended
	cutShort atomic.Bool  // a job was not tried as often as it should have been
	chunk    atomic.Int64 // the size that chunks have grown to
	enough   int64        // how many quick jobs are worth a worker's while; 0: any

	done, lost atomic.Int64 // finished jobs, and those of them that failed; kept only for hooks

	place    string // what its only worker is called, if not goroutine-1
	note     noter  // nil: nobody wants to know what workers are about to do
	hosted   bool   // the run is a part of one elsewhere, which decides what became of a job
	partial  bool   // an input was not read to its end, because the run stopped
	remember bool   // failed jobs; a stream that goes on after failures would have no bound
	plain    bool   // nobody wants to know more of a job than its result
	untimed  bool   // nobody wants to know the times of a job that is run here for another process

	mu      sync.Mutex
	flawed  bool // some job has failed
	failed  []*JobError
	gaps    spans // jobs without a result that are not in failed
	unrun   int64 // how many of them were never started
	cause   error // why the run stopped early, failed jobs apart
	outside bool  // cause is the end of the caller's context
	closing error // of workers' Close
	crashed error // a panic outside of any job, to be raised again on the caller's goroutine
}

// newRun prepares a run of n jobs, or of an unknown number if n is negative.
func newRun(ctx context.Context, cfg config, name func() string, n int) *run {
	r := &run{cfg: cfg, remember: true}
	if cfg.logger != nil {
		r.cfg.logger = calm(cfg.logger)
	}
	backend, workers := "goroutines", cfg.seatsFor(n)
	if cfg.debug {
		workers, backend, r.cfg.timeout = 1, "debug", 0
	}
	if !cfg.seeded {
		r.cfg.seed = rand.Uint64()
	}
	r.info = RunInfo{
		Jobs: n, Workers: workers, Backend: backend,
		Seed: r.cfg.seed, Nested: jobOf(ctx) != nil,
	}
	if cfg.logger != nil || len(cfg.observer) > 0 || cfg.progress || cfg.backend != nil {
		r.info.Name = name()
		r.info.ID = strconv.FormatUint(rand.Uint64()|1<<63, 36)[:8]
	}
	r.observe()
	r.limit.Store(noLimit)
	r.makeSeats(workers, workers, n < 0)
	if n < 0 {
		r.consumer.init()
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	if ctx.Done() != nil {
		r.unwatch = context.AfterFunc(ctx, func() { r.cancelled(ctx) })
	}
	if ctx.Err() != nil { // before the first job, not a moment later
		r.cancelled(ctx)
	}
	return r
}

func (r *run) observe() {
	for _, o := range r.cfg.observer {
		r.add(o)
	}
	if r.cfg.logger != nil {
		r.add(logObserver(r.cfg.logger))
	}
	if r.cfg.progress {
		r.add(barObserver(r.cfg.label))
	}
	if r.cfg.bar != nil {
		r.add(ownBarObserver(r.cfg.bar))
	}
}

// cancelled ends the run because the caller's context has ended.
func (r *run) cancelled(ctx context.Context) { r.end(context.Cause(ctx), true) }

// interrupt ends the run for a reason of its own.
func (r *run) interrupt(cause error) { r.end(cause, false) }

// end lets no further job begin, and ends the contexts of the running ones. The first cause stays.
func (r *run) end(cause error, outside bool) {
	r.mu.Lock()
	if r.cause == nil {
		r.cause, r.outside = cause, outside
	}
	r.mu.Unlock()
	r.stop()
	r.cancel(cause)
	r.consumer.send()
}

// closeFailed notes what a worker's Close returned. It stops nothing: the results are there.
func (r *run) closeFailed(err error) {
	r.mu.Lock()
	r.closing = errors.Join(r.closing, err)
	r.mu.Unlock()
}

// crash ends the run because an observer has panicked.
func (r *run) crash(err error) {
	r.mu.Lock()
	if r.crashed == nil {
		r.crashed = err
	}
	r.mu.Unlock()
	r.interrupt(err)
}

// failedJob records a job that failed for good.
func (r *run) failedJob(e *JobError) {
	r.mu.Lock()
	r.flawed = true
	if r.remember {
		r.failed = append(r.failed, e)
	}
	r.mu.Unlock()
	if !r.cfg.collect {
		r.fail(int64(e.Index), r.ctx)
	}
}

// skip records jobs that end without a result and without a failure of their own. started says
// that they were begun, and interrupted.
func (r *run) skip(jobs span, started bool) {
	if jobs.len() <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps = append(r.gaps, jobs)
	if !started {
		r.unrun += int64(jobs.len())
	}
}

// advance counts finished jobs.
func (r *run) advance(done, failed int) {
	if len(r.advanced) == 0 || done == 0 {
		return
	}
	d, f := r.done.Add(int64(done)), r.lost.Add(int64(failed))
	for _, tell := range r.advanced {
		tell(r.info, int(d), int(f))
	}
}

// finish waits for the workers and returns the error of the run.
func (r *run) finish() error {
	r.join()
	err := r.verdict()
	r.quit(err)
	return err
}

// join waits for the workers and ends the backend's session.
func (r *run) join() {
	r.close()
	r.lanes.Wait()
	if s := r.session; s != nil {
		r.session = nil
		if s, ok := s.(Staffed); ok && r.info.Workers == 0 {
			r.staff = s.Workers()
		}
		if e, ok := s.(Ending); ok {
			r.mu.Lock()
			complete := r.cause == nil && !r.flawed && len(r.gaps) == 0
			r.mu.Unlock()
			e.Ends(complete)
		}
		if err := s.Close(); err != nil {
			r.closeFailed(err)
		}
	}
}

// quit ends the run with err, when its verdict is known or nobody asks for it. It raises again a
// panic that happened outside of a job.
func (r *run) quit(err error) {
	r.join()
	if r.unwatch != nil {
		r.unwatch()
	}
	r.cancel(context.Canceled)
	if r.crashed != nil {
		panic(r.crashed)
	}
	info := r.info // which others may look at until the end
	if r.staff > 0 {
		info.Workers = r.staff
	}
	for _, f := range r.runDone {
		f(info, err)
	}
}

// verdict sums the run up, once no job is running any more.
func (r *run) verdict() error {
	r.skip(span{r.cursor.Load(), r.tail.Load()}, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	cause, whole := r.cause, len(r.gaps) == 0 && !r.cutShort.Load() && !r.partial
	switch {
	case r.outside && whole:
		cause = nil // the end came when there was nothing left to stop
	case cause == nil && !whole && r.ctx.Err() != nil:
		cause = context.Cause(r.ctx) // jobs have noticed before we have been told
	}
	if r.closing != nil {
		cause = errors.Join(cause, r.closing)
	}
	slices.SortFunc(r.failed, func(a, b *JobError) int { return cmp.Compare(a.Index, b.Index) })
	if !r.cfg.collect && len(r.failed) > 1 {
		for _, j := range r.failed[1:] {
			r.gaps = append(r.gaps, span{int64(j.Index), int64(j.Index) + 1})
		}
		r.failed = r.failed[:1]
	}
	if len(r.failed) == 0 && cause == nil {
		return nil
	}
	return &RunError{
		Jobs: r.failed, NotRun: int(r.unrun), Cause: cause,
		jobs: int(r.tail.Load()), gaps: r.gaps.tidy(),
	}
}

// readInput notes whether a stream's input has come to its end by itself, or may have been left because the run has stopped: also
// by an input that watches the same context.
func (r *run) readInput() {
	l := r.limit.Load()
	r.partial = l == allStop || l == noLimit && r.ctx.Err() != nil
}

// wait is how long to wait before attempt.
func (c *config) wait(attempt int) time.Duration {
	const most = time.Minute
	d := c.backoff
	for n := 2; n < attempt && d < most; n++ {
		d *= 2
	}
	d = min(d, max(most, c.backoff))
	if d > 1 {
		d -= rand.N(d / 2)
	}
	return d
}

func (c *config) seatsFor(n int) int {
	w := c.workers
	if w == 0 {
		w = runtime.GOMAXPROCS(0)
	}
	if n >= 0 {
		w = min(w, n)
	}
	return max(w, 1)
}
