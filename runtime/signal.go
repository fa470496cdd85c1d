package jobgen

import (
	"runtime"
	"sync/atomic"
	"time"
)

// signal lets one goroutine wait for something that workers do. Workers tell it at the end of each
// chunk, since telling costs as much as many quick jobs; only when the goroutine has waited for
// longer than a chunk should take do they tell it of each job.
type signal struct {
	ch        chan struct{}
	waiting   atomic.Bool
	impatient atomic.Bool
	timer     *time.Timer

	_    cacheLine
	news atomic.Int64 // has grown since there was something new to look at
	_    cacheLine
	seen int64 // what news was when the goroutine last looked
}

// tell says that there is something new, for a goroutine that does not wait but asks now and then.
func (s *signal) tell() { s.news.Add(1) }

// heard reports whether there is something new since the last time.
func (s *signal) heard() bool {
	n := s.news.Load()
	new := n != s.seen
	s.seen = n
	return new
}

func (s *signal) init() { s.ch = make(chan struct{}, 1) }

// patience is how long a result may be held up by the rest of its chunk.
const patience = time.Millisecond

// send wakes the waiting goroutine, and lets it run: where all processors are busy with jobs it
// would otherwise have to wait until the scheduler takes one of them away from its job, which may
// be 10 ms.
func (s *signal) send() {
	if s.waiting.Load() {
		select {
		case s.ch <- struct{}{}:
			runtime.Gosched()
		default: // it has been told and not yet looked
		}
	}
}

// hurry wakes the waiting goroutine if it has waited for long.
func (s *signal) hurry() {
	if s.impatient.Load() {
		s.send()
	}
}

// until blocks until cond holds. What makes it true must be followed by send or hurry.
func (s *signal) until(cond func() bool) {
	if cond() {
		return
	}
	s.waiting.Store(true)
	defer s.waiting.Store(false)
	if s.timer == nil {
		s.timer = time.NewTimer(patience)
	} else {
		s.timer.Reset(patience)
	}
	defer s.timer.Stop()
	defer s.impatient.Store(false)
	for !cond() {
		select {
		case <-s.ch:
		case <-s.timer.C:
			s.impatient.Store(true)
		}
	}
}
