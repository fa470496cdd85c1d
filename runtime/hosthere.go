package jobgen

import "fmt"

// hereSeat is a seat that runs its jobs on the goroutine of who asks, and not on one of its own: to go from one to
// the other and back takes longer than many a chunk. A job that calls runtime.Goexit ends that goroutine, so load, work and
// leave may not return; work and leave are then called again, on another one.
type hereSeat interface {
	HostSeat

	// load takes a chunk, for work.
	load(chunk Chunk, done func(*Done))

	// work runs what is left of the chunk. It returns what Run would return.
	work() error

	// leave is Close.
	leave() error
}

func (s *hostSeat[In, Out]) work() error {
	l := s.t.inline
	if l == nil {
		l = s.t.newLane(s.t.run.place)
		s.t.inline = l
		if s.t.run.untimed && s.t.run.cfg.timeout == 0 {
			l.host = s
		}
	}
	l.gone = false
	if s.left > 0 {
		for l.guarded(l.workHere) {
		}
	}
	return s.verdict()
}

func (s *hostSeat[In, Out]) leave() error {
	if l := s.t.inline; l != nil {
		for l.guarded(l.close) {
		}
	}
	_ = s.t.finish() // its jobs have been reported one by one
	return s.t.run.closing
}

// workHere runs the jobs that there are, after it has settled the one that a panic left behind.
func (l *lane[In, Out]) workHere() {
	l.settleBroken()
	for (l.holds() || l.run.cursor.Load() < l.run.bound()) && l.refill() {
		l.runClaimed()
	}
	l.flush()
}

// runUntimed runs the claimed jobs for a process that wants to know their results only. It is to runTimed what runPlain is
// in one process: a quick job's time goes into this loop.
func (l *lane[In, Out]) runUntimed(s *hostSeat[In, Out]) {
	if l.rest.len() == 0 {
		l.rest = l.seat.takeAll() // nobody steals here
	}
	p, do, ctx, begins := l.places, l.inst.Do, l.ctx, s.begins
	d := &Done{Worker: l.id}
	own := s.wire.ReadOuts == nil // encoding a result runs the user's own code
	for l.rest.len() > 0 {
		if l.rest.lo > l.run.limit.Load() {
			l.drop()
			return
		}
		job := l.rest.lo
		l.job = job
		l.rest.lo++
		if begins != nil {
			begins(int(job))
		}
		ctx.index = int(job)
		l.phase = phaseJob
		out, err := do(ctx, p.in[job-p.base])
		l.pace.ran++
		switch {
		case err != nil:
			l.phase = phaseHook
			l.settle(out, err)
		case own:
			l.phase = phaseHook
			d.Index = int(job)
			d.Result, d.Err = s.encode(out)
			s.report(d)
		default: // nothing goes wrong there, unless the job has left something behind that writes to its result
			d.Index = int(job)
			if d.Result, d.Err = s.wire.AppendOut(s.buf[:0], out); d.Err != nil {
				d.Err = fmt.Errorf("encoding the result: %w", d.Err)
			} else {
				s.buf = d.Result
			}
			l.phase = phaseHook
			s.report(d)
		}
		if l.ctx.touched.Load() {
			l.renewContext()
		}
		ctx = l.ctx
	}
}

// report passes on what became of a job.
func (s *hostSeat[In, Out]) report(d *Done) {
	s.left--
	s.done(d)
}
