package jobgen

import (
	"cmp"
	"errors"
	"sync"
	"sync/atomic"
)

// task is a run with the types of its jobs.
type task[In, Out any] struct {
	run     *run
	spec    *Spec[In, Out]
	store   store[In, Out]
	missing Out            // what stands in the place of a failed job
	most    int            // jobs in a chunk
	first   atomic.Int64   // the number of a job's first attempt here; another process may have made some before
	inline  *lane[In, Out] // where it is the caller's goroutine that works: the only worker

	starting sync.Mutex   // held while workers start, and by those that end where more may start later
	started  atomic.Int64 // workers
}

// newTask gives a run the types of its jobs. Chunks have most jobs, at most.
func newTask[In, Out any](r *run, spec *Spec[In, Out], s store[In, Out], most int) *task[In, Out] {
	t := &task[In, Out]{
		run: r, spec: spec, store: s, most: most,
		missing: missing[Out](spec.Multi),
	}
	t.first.Store(1)
	if n := r.cfg.maxJobs; n > 0 {
		t.most = min(t.most, n)
	}
	if r.cfg.debug {
		t.inline = t.newLane("debug")
	}
	if s, ok := r.session.(Growing); ok {
		s.OnMoreSlots(t.grow)
	}
	return t
}

// grow lets there be more workers, and starts those for which there are jobs now. Where there are none yet, add does.
func (t *task[In, Out]) grow(workers int) {
	t.starting.Lock()
	defer t.starting.Unlock()
	t.run.crew.Store(max(t.run.crew.Load(), int64(min(workers, len(t.run.seats)))))
	t.run.consumer.send() // a window is larger now
	if t.run.alive.Load() == 0 {
		return // none has begun, or all have ended
	}
	for range min(t.run.crew.Load()-t.started.Load(), t.run.bound()-t.run.cursor.Load()) {
		t.startNext()
	}
}

// add publishes one more job, and sees to it that there is somebody to run it. In debug mode it
// runs it.
func (t *task[In, Out]) add() {
	if t.inline != nil {
		t.run.publish()
		t.inline.step()
		return
	}
	if t.started.Load() < t.run.crew.Load() && t.run.idle.Load() == 0 {
		t.startLane()
	}
	t.run.publish()
}

// finish waits for the workers and returns the error of the run.
func (t *task[In, Out]) finish() error {
	if t.inline != nil {
		t.inline.leave()
	}
	return t.run.finish()
}

// abandon ends the run early without a verdict, because nobody is left to hear it but observers. They are told why.
func (t *task[In, Out]) abandon(why error) {
	t.run.interrupt(cmp.Or(why, errAbandoned))
	if t.inline != nil {
		t.inline.leave()
	}
	t.run.quit(why)
}

var (
	errAbandoned   = errors.New("the consumer of the results has left")
	errPanicPassed = errors.New("a panic has passed: of the input or the consumer of a stream, or of a job in debug mode")
)

// store is where the inputs of a run come from and where its results go. Its methods are called on
// the workers' goroutines, but for a job only by the one that runs it.
type store[In, Out any] interface {
	// places returns the places of consecutive jobs.
	places(jobs span) places[In, Out]

	// failed is told of a job that has failed for good, before it is marked ready.
	failed(job int64, err *JobError)

	// finished is told the outcome of a job, where places has no room for results.
	finished(o *Outcome[Out])
}

// places are where the inputs and results of consecutive jobs are, the first of them job base.
type places[In, Out any] struct {
	base  int64
	in    []In
	out   []Out           // nil: the store is told outcomes
	ready []atomic.Uint32 // nil if nobody waits for single jobs, otherwise set to lap …
	lap   uint32          // … when the result is there; where outcomes are told, when the input is taken
}

// missing returns what stands in the place of a failed job: NaN for a floating-point or complex
// result, and for each such field of a generated struct of results; the zero value otherwise.
func missing[Out any](multi bool) Out {
	var out Out
	setNaN(&out, multi)
	return out
}
