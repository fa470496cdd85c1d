package jobgen

import (
	"context"
	"math"
	"sync/atomic"
)

// A sched hands the numbers of jobs to workers. Each worker claims a chunk of consecutive numbers
// from one cursor and takes them one by one. A chunk is sized to be short, but the next job may be
// a thousand times slower than the last, so what a worker has claimed and not begun can be taken
// over by one that has nothing to do: a slow job delays nobody but itself, and chunks need not
// shrink towards the end.
//
// The cursor only rises, so when a job fails all jobs below it have been claimed. A limit says
// which jobs may still be begun: all; those below the first failure, which a serial loop would
// have run; or none.
type sched struct {
	cursor atomic.Int64  // the first job that nobody has claimed
	_      cacheLine     // the cursor changes with each chunk …
	tail   atomic.Int64  // the first job that does not exist (yet)
	_      cacheLine     // … and the tail of a stream with each job, for which the rest is read
	limit  atomic.Int64  // jobs above it are not begun
	closed atomic.Bool   // tail is final
	idle   atomic.Int32  // workers that wait for more jobs
	wake   chan struct{} // nil where jobs are all there from the start
	seats  []seat        // as many as there can ever be workers …
	crew   atomic.Int64  // … of which the first may be taken now; this only grows
	ring   int64         // if not 0: chunks do not cross its multiples
}

// cacheLine keeps what different processors write apart.
type cacheLine [56]byte

const (
	noLimit = math.MaxInt64 // nothing has gone wrong
	allStop = -1            // the run ends
)

// makeSeats makes places for workers, before the first of them begins; there may be up to most later. open says that they
// may have to wait for more jobs.
func (s *sched) makeSeats(workers, most int, open bool) {
	if open {
		s.wake = make(chan struct{}, most)
	}
	s.seats = make([]seat, most)
	s.crew.Store(int64(workers))
}

// manned returns the seats that may be taken.
func (s *sched) manned() []seat { return s.seats[:s.crew.Load()] }

func (s *sched) stopped() bool { return s.limit.Load() == allStop }

// bound returns the first job that must not be claimed now.
func (s *sched) bound() int64 {
	end := s.tail.Load()
	if l := s.limit.Load(); l < end {
		end = l + 1
	}
	return end
}

// claim takes up to want consecutive jobs from the cursor, and no more than a fair share.
func (s *sched) claim(want int) (span, bool) {
	for {
		lo := s.cursor.Load()
		left := s.bound() - lo
		if left <= 0 {
			return span{}, false
		}
		workers := s.crew.Load()
		n := min(int64(want), (left+workers-1)/workers)
		if s.ring != 0 {
			n = min(n, s.ring-lo%s.ring)
		}
		if s.cursor.CompareAndSwap(lo, lo+n) {
			return span{lo, lo + n}, true
		}
	}
}

// steal takes the upper half of the longest claim that another worker has not begun.
func (s *sched) steal(thief *seat) (span, bool) {
	for {
		var victim *seat
		var claim uint64
		most, limit := 0, s.limit.Load()
		seats := s.manned()
		for i := range seats {
			c := seats[i].claim.Load()
			if lo, n := unpack(c); n > most && lo <= limit && &seats[i] != thief {
				victim, claim, most = &seats[i], c, n
			}
		}
		if victim == nil {
			return span{}, false
		}
		lo, n := unpack(claim)
		keep := n / 2
		if victim.claim.CompareAndSwap(claim, pack(lo, keep)) {
			return span{lo + int64(keep), lo + int64(n)}, true
		}
	}
}

// publish makes one more job available, and wakes a worker if one waits.
func (s *sched) publish() {
	s.tail.Add(1)
	if s.idle.Load() > 0 {
		s.wakeOne()
	}
}

// replace makes jobs the ones that are available. All others must have ended.
func (s *sched) replace(jobs span) {
	s.tail.Store(0) // nothing, while the cursor may move down
	s.cursor.Store(jobs.lo)
	s.tail.Store(jobs.hi)
	s.wakeOne()
}

// close says that no more jobs will come.
func (s *sched) close() {
	s.closed.Store(true)
	for s.wakeOne() {
	}
}

// stop lets no further job begin.
func (s *sched) stop() {
	s.limit.Store(allStop)
	for s.wakeOne() {
	}
}

// fail lets no job above the failed one begin, and ends the contexts of those that are running:
// a serial loop would not have begun them. It reports whether the job is now the first failure.
// The contexts are children of parent.
func (s *sched) fail(job int64, parent context.Context) bool {
	for {
		l := s.limit.Load()
		if l <= job {
			return false
		}
		if s.limit.CompareAndSwap(l, job) {
			break
		}
	}
	seats := s.manned() // who comes later sees the limit
	for i := range seats {
		seats[i].cancelAbove(job, parent)
	}
	return true
}

// wait blocks until there may be something to claim, and reports false if there never will be.
func (s *sched) wait() bool {
	if s.closed.Load() {
		return s.cursor.Load() < s.bound()
	}
	s.idle.Add(1)
	// A job that was published before the line above woke nobody, so look once more.
	if s.cursor.Load() < s.bound() || s.closed.Load() || s.stopped() {
		if !s.unidle() {
			<-s.wake // somebody is about to wake us; take the token
		}
	} else {
		<-s.wake
	}
	return !s.stopped() && (s.cursor.Load() < s.bound() || !s.closed.Load())
}

func (s *sched) wakeOne() bool {
	if !s.unidle() {
		return false
	}
	s.wake <- struct{}{} // has room for all workers
	return true
}

// unidle takes one off the count of waiting workers.
func (s *sched) unidle() bool {
	for {
		n := s.idle.Load()
		if n == 0 {
			return false
		}
		if s.idle.CompareAndSwap(n, n-1) {
			return true
		}
	}
}
