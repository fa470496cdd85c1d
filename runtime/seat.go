package jobgen

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// seat is one worker's place in a sched: what it has claimed and not begun, and the context of the
// job that it runs.
type seat struct {
	claim atomic.Uint64 // the first job, and in the low bits how many
	_     cacheLine     // the claim changes with each job of this worker only

	// mu is held to begin a claim and to cancel a running job. A worker that goes on to jobs of
	// a lower number, which it took over from another, is thus never cancelled for the sake of
	// the higher one that it ran before.
	mu        sync.Mutex
	cancelled atomic.Bool     // set under mu
	ctx       context.Context // nil until somebody asks for it
	cancel    context.CancelCauseFunc
}

const (
	countBits = 16
	maxChunk  = 1<<countBits - 1
)

func pack(lo int64, n int) uint64       { return uint64(lo)<<countBits | uint64(n) }
func unpack(c uint64) (lo int64, n int) { return int64(c >> countBits), int(c & maxChunk) }

// errOvertaken is why the context of a job ends when one before it has failed.
var errOvertaken = errors.New("a job before this one has failed")

// take returns the next of the jobs that the seat has claimed.
func (s *seat) take() (job int64, ok bool) {
	for {
		c := s.claim.Load()
		if c&maxChunk == 0 {
			return 0, false
		}
		// The first job moves up by one, and the count goes down by one.
		if s.claim.CompareAndSwap(c, c+1<<countBits-1) {
			return int64(c >> countBits), true
		}
	}
}

// takeAll returns all that the seat has claimed. The first of these jobs counts as running.
func (s *seat) takeAll() span {
	for {
		c := s.claim.Load()
		lo, n := unpack(c)
		if s.claim.CompareAndSwap(c, pack(lo+1, 0)) {
			return span{lo, lo + int64(n)}
		}
	}
}

// holds reports whether there is something to take.
func (s *seat) holds() bool { return s.claim.Load()&maxChunk != 0 }

// drop gives up what the seat has claimed and not begun.
func (s *seat) drop() span {
	for {
		c := s.claim.Load()
		lo, n := unpack(c)
		if s.claim.CompareAndSwap(c, pack(lo, 0)) {
			return span{lo, lo + int64(n)}
		}
	}
}

// begin makes jobs the seat's claim. It reports whether the context of the seat is another one than
// before, because that was cancelled on account of an earlier job.
func (s *seat) begin(jobs span) (renewed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancelled.Load() {
		s.cancelled.Store(false)
		s.ctx, renewed = nil, true
	}
	s.claim.Store(pack(jobs.lo, jobs.len()))
	return renewed
}

// context returns the context of the running job, which is made when somebody asks for it: most
// jobs do not.
func (s *seat) context(parent context.Context) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lockedContext(parent)
}

func (s *seat) lockedContext(parent context.Context) context.Context {
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancelCause(parent)
	}
	return s.ctx
}

// cancelAbove ends the context of the job that is running if its number is above job.
func (s *seat) cancelAbove(job int64, parent context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, _ := unpack(s.claim.Load())
	if running := next - 1; running > job && !s.cancelled.Load() {
		s.lockedContext(parent)
		s.cancel(errOvertaken)
		s.cancelled.Store(true)
	}
}

// leave releases the context.
func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx != nil {
		s.cancel(nil)
	}
}
