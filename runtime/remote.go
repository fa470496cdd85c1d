package jobgen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// link is a lane's connection to a slot of a backend, on which its jobs run instead of here.
type link[In, Out any] struct {
	session Session
	slot    int
	wire    *Wire[In, Out]

	in       []In  // of the chunk, where its places are wanted back
	out      []Out // results that came together, where they have no place
	buf      []byte
	perJob   int // bytes, about
	ends     []int
	pending  []bool // the jobs of the chunk that have not been reported …
	open     int    // … and how many they are
	suspects bool   // one of them has harmed its worker: they have to be sent one by one
	failed   []Done // settled when the chunk is over, since that may mean to run them again
}

// startRun begins a run where its options say: it opens the backend, if there is one. A failure to
// do so is the end of the run, which has begun. outcomes says that all is wanted that can be known of a job.
func startRun[In, Out any](ctx context.Context, spec *Spec[In, Out], cfg config, n int, outcomes bool) *run {
	r := newRun(ctx, cfg, spec.name, n)
	r.plain = !outcomes && r.cfg.timeout == 0 && !r.wantsJobs()
	switch {
	case cfg.debug:
	case cfg.backend != nil:
		if err := openSession(r, spec); err != nil {
			if ctx.Err() != nil { // which may be why, and the goroutine that is to tell the run may not have run yet
				r.cancelled(ctx)
			}
			r.interrupt(err)
		}
	case cfg.maxJobs > 0 || cfg.memory > 0:
		r.interrupt(errLimits("goroutines"))
	}
	for _, f := range r.runStarted {
		f(r.info)
	}
	return r
}

// ErrSuspects is what a session's Run returns for a chunk in which some job has harmed the worker without being found
// out. The jobs that were not reported are to be given to Run again, one by one.
var ErrSuspects = errors.New("one of several jobs has harmed its worker")

func errLimits(backend string) error {
	return fmt.Errorf("MaxJobsPerWorker and MemoryLimit are for processes, and the jobs are to run on %s: "+
		"use jobgen.Processes(), or %s=processes", backend, envBackend)
}

func openSession[In, Out any](r *run, spec *Spec[In, Out]) error {
	// Whether the worker can travel comes first: a reason to change the worker is of more use
	// than one to change the program.
	if spec.Local != "" {
		return fmt.Errorf("%s runs in this process only: %s", shortName(spec.Name), spec.Local)
	}
	b, err := r.cfg.backend()
	if err != nil {
		return err
	}
	r.info.Backend = b.String()
	if _, ok := b.(Limiting); !ok && (r.cfg.maxJobs > 0 || r.cfg.memory > 0) {
		return errLimits(r.info.Backend)
	}
	if spec.Wire == nil {
		return fmt.Errorf("%s cannot run on %s: its generated code has no codec; run go generate with a version of jobgen that writes one", shortName(spec.Name), b)
	}
	task := Task{
		Worker: spec.Name, Fingerprint: spec.Wire.Fingerprint,
		Workers: r.cfg.workers, JobTimeout: r.cfg.timeout, Logger: r.cfg.logger,
		MaxJobsPerWorker: r.cfg.maxJobs, MemoryLimit: r.cfg.memory,
		Untimed: r.plain, Together: r.plain && spec.Wire.ReadOuts != nil,
		WorkerStarted: func(worker string) {
			for _, f := range r.workerStarted {
				f(r.info, worker)
			}
		},
		WorkerLost: func(worker string, err error) {
			for _, f := range r.workerLost {
				f(r.info, worker, err)
			}
		},
	}
	if task.Config, err = spec.Wire.encodeConfig(); err != nil {
		return fmt.Errorf("%s cannot run on %s: %w", shortName(spec.Name), b, err)
	}
	task.Run = r.info
	if r.session, err = b.Open(r.ctx, task); err != nil {
		return fmt.Errorf("opening the backend %s: %w", b, err)
	}
	slots := max(1, r.session.Slots())
	r.info.Workers = slots
	if s, ok := r.session.(Staffed); ok {
		r.info.Workers = s.Workers()
	}
	most := slots
	if s, ok := r.session.(Growing); ok {
		most = max(slots, s.MostSlots())
	}
	r.makeSeats(slots, most, r.info.Jobs < 0)
	return nil
}

// runRemote runs jobs on the lane's slot; those that a dying worker left over are sent once more.
func (l *lane[In, Out]) runRemote(jobs span) {
	if l.places.out == nil && l.places.ready != nil {
		l.keepInputs(jobs)
	}
	todo := spans{jobs}
	for len(todo) > 0 {
		jobs, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if jobs.lo > l.run.limit.Load() {
			l.run.skip(jobs, false)
			continue
		}
		left := l.send(jobs)
		over := l.ctx.Err() != nil || l.run.stopped()
		if !over && len(left) == 1 && left[0] == jobs {
			l.run.interrupt(fmt.Errorf("%s: the backend ran none of the jobs %d to %d", l.id, jobs.lo, jobs.hi-1))
			over = true
		}
		for _, j := range left {
			if over {
				l.run.skip(j, false)
			} else {
				todo = append(todo, j)
			}
		}
	}
}

// keepInputs takes the inputs of jobs out of their places, for which others are waiting. They are
// kept because the jobs may have to be sent again.
func (l *lane[In, Out]) keepInputs(jobs span) {
	p := &l.places
	k := jobs.lo - p.base
	in, ready := p.in[k:k+int64(jobs.len())], p.ready[k:]
	clear(l.link.in)
	l.link.in = append(l.link.in[:0], in...)
	clear(in)
	for i := range in {
		ready[i].Store(p.lap)
	}
	l.run.consumer.hurry()
	*p = places[In, Out]{base: jobs.lo, in: l.link.in}
}

// send runs jobs as one chunk, settles those that were reported, and returns the others.
func (l *lane[In, Out]) send(jobs span) (left spans) {
	k := l.link
	k.failed = k.failed[:0]
	jobs, left = l.encodeAll(jobs)
	if jobs.len() > 0 {
		k.open, k.suspects = jobs.len(), false
		k.pending = slices.Grow(k.pending[:0], k.open)[:k.open]
		for i := range k.pending {
			k.pending[i] = true
		}
		l.dispatch(jobs, func(d Done) { l.reported(jobs, &d) })
		for i, p := range k.pending {
			if k.open == 0 {
				break
			}
			if job := jobs.lo + int64(i); p {
				left = append(left, span{job, job + 1})
				k.open--
			}
		}
	}
	l.settleFailed()
	if k.suspects {
		return left
	}
	return left.tidy()
}

// dispatch gives the encoded jobs to the backend.
func (l *lane[In, Out]) dispatch(jobs span, done func(Done)) {
	if len(l.run.jobStarted) > 0 {
		for job := jobs.lo; job < jobs.hi; job++ {
			l.job, l.times = job, times{start: time.Now()}
			for _, f := range l.run.jobStarted {
				f(l.run.info, l.jobInfo(nil))
			}
		}
	}
	chunk := Chunk{First: int(jobs.lo), Count: jobs.len(), Attempt: l.tries, Jobs: l.link.buf, Ends: l.link.ends}
	err := l.link.session.Run(l.ctx.cancellable(), l.link.slot, chunk, done)
	switch {
	case err == nil || l.ctx.Err() != nil:
	case errors.Is(err, ErrSuspects):
		l.link.suspects = true
	default:
		l.run.interrupt(err)
	}
	if paced, ok := l.link.session.(Paced); ok {
		l.pace.tell(chunk.Count, paced.Took(l.link.slot))
	}
}

// reported takes what the backend says of a job, or of several.
func (l *lane[In, Out]) reported(jobs span, d *Done) {
	k, n := l.link, max(d.Count, 1)
	i := int64(d.Index) - jobs.lo
	if i < 0 || i+int64(n) > int64(jobs.len()) || slices.Contains(k.pending[i:i+int64(n)], false) {
		l.run.interrupt(fmt.Errorf("%s: the backend reported job %d, which it was not given or had reported before", l.id, d.Index))
		return
	}
	clear(k.pending[i : i+int64(n)])
	k.open -= n
	l.pace.ran += n
	if d.Count > 1 {
		l.reportedTogether(d)
		return
	}
	out, err := l.decode(d)
	if err != nil {
		d.Err, d.Result = err, nil
		k.failed = append(k.failed, *d)
		return
	}
	l.succeeded(out)
}

func (l *lane[In, Out]) settleFailed() {
	for len(l.link.failed) > 0 {
		n := len(l.link.failed) - 1
		d := l.link.failed[n]
		l.link.failed = l.link.failed[:n]
		l.job, l.id = int64(d.Index), d.Worker
		l.times = times{start: d.Start, elapsed: d.Elapsed}
		var none Out
		l.settle(none, d.Err)
	}
}

// tryRemote is another attempt of the current job.
func (l *lane[In, Out]) tryRemote() (out Out, err error) {
	one := span{l.job, l.job + 1}
	if l.link.buf, err = l.encode(l.link.buf[:0]); err != nil {
		return out, err
	}
	l.link.ends = append(l.link.ends[:0], len(l.link.buf))
	reported := false
	l.dispatch(one, func(d Done) {
		if int64(d.Index) == one.lo && !reported {
			reported = true
			out, err = l.decode(&d)
		}
	})
	if reported {
		return out, err
	}
	if l.ctx.Err() == nil && !l.run.stopped() {
		l.run.interrupt(fmt.Errorf("%s: the backend did not run job %d", l.id, one.lo))
	}
	return out, context.Canceled
}
