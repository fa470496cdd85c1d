package jobtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Loopback is a backend that goes through all the motions of moving jobs to another process, and
// runs them in this one: it shows that a failure of the suite on a real backend is that backend's.
type Loopback struct {
	// Slots is how many jobs run at a time; 0 means two.
	Slots int

	// Late has one slot at first, and the others when the first chunk has come to that: as when workers join a run.
	Late bool

	// Loss is the probability that a chunk is cut short before a job, as when a worker dies:
	// the jobs from there on are not run, and have to be sent again.
	Loss float64

	// Seed makes the losses repeatable.
	Seed uint64
}

func (b *Loopback) String() string { return "loopback" }

// Open looks the worker up as another process would.
func (b *Loopback) Open(ctx context.Context, task jobgen.Task) (jobgen.Session, error) {
	h, err := jobgen.Lookup(task.Worker)
	if err != nil {
		return nil, err
	}
	if h.Fingerprint() != task.Fingerprint {
		return nil, fmt.Errorf("worker %s has fingerprint %x here and %x there", task.Worker, h.Fingerprint(), task.Fingerprint)
	}
	n := task.Workers
	if n == 0 {
		n = b.Slots
	}
	if n == 0 {
		n = 2
	}
	s := &loopSession{host: h, task: task, loss: b.Loss, first: n, slots: make([]loopSlot, n)}
	if b.Late {
		s.first = 1
	}
	for i := range s.slots {
		s.slots[i].name = fmt.Sprintf("loopback-%d", i+1)
		s.slots[i].rand = rand.New(rand.NewPCG(b.Seed, uint64(i)))
	}
	return s, nil
}

type loopSession struct {
	host  jobgen.Host
	task  jobgen.Task
	loss  float64
	first int // slots at first
	slots []loopSlot
	join  sync.Once
	more  func(slots int)
}

type loopSlot struct {
	name string
	rand *rand.Rand
	seat jobgen.HostSeat
	stop context.CancelFunc
}

func (s *loopSession) Slots() int     { return s.first }
func (s *loopSession) MostSlots() int { return len(s.slots) }

func (s *loopSession) OnMoreSlots(more func(slots int)) { s.more = more }

// Run runs a chunk on a slot's seat, which it opens when it is first used, and again after a chunk
// was cancelled.
func (s *loopSession) Run(ctx context.Context, slot int, chunk jobgen.Chunk, done func(jobgen.Done)) error {
	s.join.Do(func() {
		if s.first < len(s.slots) {
			s.more(len(s.slots))
		}
	})
	w := &s.slots[slot]
	if w.seat == nil {
		var seatCtx context.Context
		seatCtx, w.stop = context.WithCancel(context.Background())
		var err error
		if w.seat, err = s.host.Open(seatCtx, s.task); err != nil {
			w.stop()
			return err
		}
		s.task.WorkerStarted(w.name)
	}
	unwatch := context.AfterFunc(ctx, w.stop)
	cut := s.loss > 0 && w.rand.Float64() < s.loss
	err := w.seat.Run(chunk, func(d jobgen.Done) {
		if cut && chunk.Count > 1 && d.Index >= chunk.First+chunk.Count/2 {
			return // as if the worker had died before it could say so
		}
		d.Worker = w.name
		done(d)
	})
	if !unwatch() || err != nil {
		w.stop()
		closed := w.seat.Close()
		w.seat = nil
		if err == nil {
			err = closed
		}
	}
	return err
}

// Close closes all seats.
func (s *loopSession) Close() error {
	var first error
	for i := range s.slots {
		w := &s.slots[i]
		if w.seat == nil {
			continue
		}
		if err := w.seat.Close(); err != nil && first == nil {
			first = err
		}
		w.stop()
	}
	return first
}
