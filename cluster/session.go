package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// session is the driver's side of one run.
type session struct {
	conn      *conn
	opts      Options
	task      jobgen.Task
	run       string // its id on the server
	named     bool
	found     bool // there was a run of that name, maybe another one …
	resumed   bool // … and it is this one, which is taken up
	complete  bool // all jobs are done: nothing needs to be kept
	manifest  manifest
	config    *blobRef // of one that is too large for the manifest
	announced bool     // the manifest is on the server

	epoch     uint64
	blobs     *blobs
	rebuild   sync.Mutex // held while it is found out whether the server has lost the run, and while it is made anew
	holding   sync.Mutex // of the lease
	leaseID   string     // no other session has it
	revision  uint64     // of the lease
	born      time.Time  // when the bucket was made in which it is
	structure sync.Mutex // of what follows, which is made anew when the server has lost it
	buckets   buckets
	work      jetstream.Consumer
	results   jetstream.Stream
	reading   jetstream.ConsumeContext
	watcher   jetstream.KeyWatcher

	ctx        context.Context // ends with the session, and with a cause when it cannot go on
	cancel     context.CancelCauseFunc
	background sync.WaitGroup
	subs       []*nats.Subscription
	unlisten   func() // no more of what becomes of the connection

	slots   []slotState   // as many as there may ever be
	sending chan struct{} // limits messages that the server has not acknowledged
	number  atomic.Uint64 // of the last chunk
	heard   atomic.Int64  // when the last result came
	gone    chan struct{} // has one when something of the run seems to be no more

	mu     sync.Mutex
	calls  map[uint64]*chunkCall // chunks that are under way
	agents map[string]agentState // that take part
	closes map[string]time.Time  // when they began to close
	crew   map[string]member     // workers that are there, whether they take part or not
	served map[string]bool       // workers that were able to run this, by their names
	staff  int                   // jobs that those who seemed to be there at a time could run, at most
	used   int                   // slots, at present
	more   func(slots int)       // wants to know when there are more
	closed []error               // what Close of workers returned
	ending bool                  // they were told to close
	ended  bool                  // nothing more is begun in the background

	withdrawn time.Time // when chunks were withdrawn last, to make room for results

	segments segmentTable
	past     pastResults
	counts   counters // of this run
	total    *counters
	log      *slog.Logger
}

const (
	fewestSlots = 16
	mostSlots   = 4096
)

// makeSlots decides how many chunks may be under way: as many as the user says, or enough for the workers that are there.
func (s *session) makeSlots() {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.task.Workers
	if n == 0 {
		n = mostSlots
	}
	if jobs := s.task.Run.Jobs; jobs >= 0 {
		n = min(n, max(jobs, 1))
	}
	s.slots = make([]slotState, n)
	if s.used = n; s.task.Workers == 0 {
		s.used = s.enoughSlots()
	}
}

// enoughSlots is how many chunks may be under way for the workers that there are or were: each has one that it runs, and
// others wait for it. s.mu is held.
func (s *session) enoughSlots() int { return min(max(4*s.staff, fewestSlots), len(s.slots)) }

func (s *session) Slots() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// MostSlots returns how many there may be when more workers come.
func (s *session) MostSlots() int { return len(s.slots) }

// OnMoreSlots has more called when workers have come.
func (s *session) OnMoreSlots(more func(slots int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = more
	s.useMore()
}

// useMore has more chunks under way if there are workers for them. s.mu is held.
func (s *session) useMore() {
	if n := s.enoughSlots(); s.more != nil && !s.ended && n > s.used {
		s.used = n
		s.more(n)
	}
}

// Workers returns how many jobs the workers that were there at a time could run, at most. Asked later than at the beginning
// it counts those that were killed beside those in their place: it takes a while until they are missed.
func (s *session) Workers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(s.staff, len(s.slots))
}

// ChunkTime is long enough for what a chunk costs on its way, and short enough for fair shares and short tails.
func (s *session) ChunkTime() time.Duration { return 100 * time.Millisecond }

func (s *session) Took(slot int) time.Duration { return s.slots[slot].took }

// Ends is told whether the run has all its results.
func (s *session) Ends(complete bool) { s.complete = complete }

// spawn runs f in the background, unless the session has ended.
func (s *session) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.background.Go(f)
	}
}

// wait waits for what is in the background, and for what it has begun itself.
func (s *session) wait() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.background.Wait()
}

// fail ends the session because it cannot go on.
func (s *session) fail(err error) { s.cancel(err) }

// unlessOver drops an error that comes from the end of the run.
func (s *session) unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}
