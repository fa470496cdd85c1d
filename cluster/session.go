package cluster

import (
	"context"
	"errors"
	"fmt"
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

	slots   []slotState
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

// slotState is used by one goroutine at a time.
type slotState struct {
	took time.Duration
	name string // of the worker that was named last …
	from [2]string
}

// agentState is what is known of an agent's part in the run.
type agentState int

const (
	agentTakesPart agentState = iota
	agentCloses
	agentClosed
)

const (
	fewestSlots = 16
	mostSlots   = 1024
)

// makeSlots decides how many chunks may be under way: enough for some more workers than there are now.
func (s *session) makeSlots() {
	n := s.task.Workers
	if n == 0 {
		s.mu.Lock()
		for _, m := range s.crew {
			n += 4 * m.Slots
		}
		s.mu.Unlock()
		n = min(max(n, fewestSlots), mostSlots)
	}
	if jobs := s.task.Run.Jobs; jobs >= 0 {
		n = min(n, max(jobs, 1))
	}
	s.slots = make([]slotState, n)
}

func (s *session) Slots() int { return len(s.slots) }

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

// Run runs a chunk: what an earlier driver has left is taken from there, the rest is sent to the workers.
func (s *session) Run(ctx context.Context, slot int, chunk jobgen.Chunk, done func(jobgen.Done)) error {
	jobs, first := split(chunk), chunk.First
	took := time.Duration(0)
	defer func() { s.slots[slot].took = took }()
	for nobody := 0; len(jobs) > 0; {
		n := len(jobs)
		if s.resumed && chunk.Attempt == 1 {
			known, err := s.recallSome(ctx, slot, first, jobs, done)
			if err != nil {
				return err
			}
			jobs, first = jobs[known:], first+known
			n = s.past.gap(first, len(jobs))
		}
		if n == 0 {
			continue
		}
		n = s.fit(jobs[:n])
		s.slots[slot].took = 0
		left, err := s.send(ctx, slot, first, chunk.Attempt, jobs[:n], done)
		took += s.slots[slot].took
		if nobody++; left == n && err == nil && ctx.Err() == nil && nobody < mostNobody {
			continue // all that were given it have given it up
		}
		if err != nil || left > 0 {
			return err
		}
		jobs, first, nobody = jobs[n:], first+n, 0
	}
	return nil
}

// mostNobody is how often a chunk may come back with no job of it run.
const mostNobody = 3

// fit returns how many of some jobs are sent in one message: as many as the server takes, at least one.
func (s *session) fit(jobs [][]byte) int {
	room, inline := int(s.conn.nc.MaxPayload())/4*3, s.conn.inline()
	for i, b := range jobs {
		if len(b) <= inline {
			room -= 8 + len(b)
		} else {
			room -= 32 + 32*(len(b)/partBytes+1)
		}
		if room < 0 && i > 0 {
			return i
		}
	}
	return len(jobs)
}

// split returns the inputs of a chunk.
func split(chunk jobgen.Chunk) [][]byte {
	jobs := make([][]byte, len(chunk.Ends))
	from := 0
	for i, end := range chunk.Ends {
		jobs[i] = chunk.Jobs[from:end:end]
		from = end
	}
	return jobs
}

// chunkCall is a chunk that is under way.
type chunkCall struct {
	number uint64
	first  int
	left   int    // jobs that are not reported
	seen   []bool // which are, by their place in the chunk; s.mu is held

	results chan resultMessage
	over    chan struct{} // closed when nobody reads results any more
	running chan struct{} // has one if a worker says that it runs the chunk
	again   chan struct{} // has one if the chunk is to be sent once more

	begun map[int][]begun // by job: the agents that began it alone
	lost  int             // results that could not be read

	mu       sync.Mutex
	sequence uint64 // of the message that was stored last; 0: none is, or it was lost
	damaged  bool   // a worker could not read its inputs
}

// send runs some jobs on whichever worker takes them, and returns how many of them were not reported.
func (s *session) send(ctx context.Context, slot, first, attempt int, jobs [][]byte, done func(jobgen.Done)) (left int, err error) {
	c := &chunkCall{
		number: s.number.Add(1), first: first, left: len(jobs), seen: make([]bool, len(jobs)),
		results: make(chan resultMessage, 4), over: make(chan struct{}), running: make(chan struct{}, 1), again: make(chan struct{}, 1),
	}
	s.mu.Lock()
	s.calls[c.number] = c
	s.mu.Unlock()
	defer s.forget(c)
	s.count(chunksSent, 1)
	p := &parcel{session: s, call: c, attempt: attempt, jobs: jobs}
	defer p.release()
	storing, stop := context.WithCancel(ctx)
	stored := make(chan error, 1)
	var busy sync.WaitGroup
	halt := func() {
		stop()
		busy.Wait()
	}
	defer halt()
	again := c.again
	store := func() {
		again = nil // one at a time
		busy.Go(func() { stored <- p.store(storing) })
	}
	store()
	for {
		select {
		case err := <-stored:
			if err != nil {
				halt()
				return c.left, s.unlessOver(ctx, err)
			}
			again = c.again
		case <-again:
			s.count(chunksResent, 1)
			store()
		case r := <-c.results:
			last, err := s.take(ctx, slot, c, &r, done)
			if err != nil || c.left == 0 || last {
				return c.left, err
			}
		case <-ctx.Done():
			halt()
			return c.left, s.cancelChunk(slot, c, done)
		case <-s.ctx.Done():
			return c.left, context.Cause(s.ctx)
		}
	}
}

// sendAgain has a chunk sent once more, which the server has lost.
func (c *chunkCall) sendAgain() {
	select {
	case c.again <- struct{}{}:
	default:
	}
}

func (s *session) forget(c *chunkCall) {
	s.mu.Lock()
	delete(s.calls, c.number)
	s.mu.Unlock()
	close(c.over)
}

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

// mostLost is how many results of a chunk are computed again because what the server has of them cannot be read.
const mostLost = 3

// take takes what a worker has sent of a chunk. It reports whether the worker is through with it.
func (s *session) take(ctx context.Context, slot int, c *chunkCall, r *resultMessage, done func(jobgen.Done)) (last bool, err error) {
	st := &s.slots[slot]
	st.took = max(r.Took, 1)
	lost := false
	for i := range r.Dones {
		d := &r.Dones[i]
		k := d.Index - c.first
		if k < 0 || k >= len(c.seen) {
			return false, fmt.Errorf("cluster: %s reports job %d, which is not of chunk %d", r.Agent, d.Index, c.number)
		}
		if !s.first(c, k) {
			s.count(duplicateResults, 1)
			s.dropBlob(d.Blob)
			continue
		}
		out := jobgen.Done{Index: d.Index, Result: d.Bytes, Worker: st.worker(r.Agent, d.Worker), Start: d.Start, Elapsed: d.Elapsed}
		switch {
		case d.Failed:
			out.Result, out.Err = nil, jobgen.ReadError(d.Bytes)
		case d.Blob != nil:
			out.Result, err = s.blobs.get(ctx, d.Blob)
			if err != nil && ctx.Err() == nil && isLost(err) && c.lost < mostLost {
				s.log.Warn("a result cannot be read; its job is run again", "run", s.run, "job", d.Index, "error", err)
				s.unsee(c, k)
				c.lost++
				lost = true
				c.mu.Lock()
				c.sequence = 0 // its worker is through with it
				c.mu.Unlock()
				continue
			}
			if err != nil {
				s.unsee(c, k)
				return false, s.unlessOver(ctx, fmt.Errorf("the result of job %d: %w", d.Index, err))
			}
		}
		done(out)
		s.dropBlob(d.Blob)
	}
	if len(r.Fatal) > 0 {
		return true, jobgen.ReadError(r.Fatal)
	}
	if r.Begun >= 0 {
		s.suspect(slot, c, r, done)
	}
	if lost {
		c.sendAgain()
		return false, nil
	}
	return r.Last, nil
}

// unsee takes back that a job is reported.
func (s *session) unsee(c *chunkCall, k int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.seen[k] = false
	c.left++
}

// first notes that a job of a chunk is reported, and reports whether it was not before.
func (s *session) first(c *chunkCall, k int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.seen[k] {
		return false
	}
	c.seen[k] = true
	c.left--
	return true
}

// dropBlob removes a result that was read, unless a later driver may want it.
func (s *session) dropBlob(ref *blobRef) {
	if ref == nil || s.named {
		return
	}
	s.spawn(func() {
		for i := range ref.Parts {
			s.blobs.drop(ref.object(i))
		}
	})
}

// worker names a worker of an agent. Most results in a row are of the same one.
func (st *slotState) worker(agent, worker string) string {
	if from := [2]string{agent, worker}; st.from != from {
		st.from, st.name = from, workerName(agent, worker)
	}
	return st.name
}

func workerName(agent, worker string) string {
	if worker == "" {
		return agent
	}
	return agent + " " + worker
}

// cancelChunk ends a chunk, and waits for the jobs of it that are running, though not for ever.
func (s *session) cancelChunk(slot int, c *chunkCall, done func(jobgen.Done)) error {
	c.mu.Lock()
	sequence := c.sequence
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), cancelGrace)
	defer cancel()
	began := time.Now()
	s.tell(ctx, control{Cancel: c.number}) // its answer says how far away the server is
	rtt := time.Since(began)
	if ctx.Err() != nil {
		return nil
	}
	if sequence > 0 {
		if stream, err := s.conn.js.Stream(ctx, workStream(s.run)); err == nil {
			_ = stream.DeleteMsg(ctx, sequence) // if nobody has taken it yet
		}
	}
	late := time.NewTimer(max(cancelHeard, 3*rtt))
	defer late.Stop()
	nobody := late.C
	for {
		select {
		case <-c.running:
			nobody = nil
		case r := <-c.results:
			if last, err := s.take(ctx, slot, c, &r, done); err != nil || last || c.left == 0 {
				return err
			}
		case <-nobody:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// Close ends the run: it has the workers closed, and removes what is on the server.
func (s *session) Close() error {
	errs := []error{s.closeAgents()}
	var fenced error
	if s.named && !errors.Is(context.Cause(s.ctx), ErrFenced) {
		fenced = s.stillHeld()
		errs = append(errs, fenced)
	}
	s.cancel(errors.New("the run has ended"))
	s.hangUp()
	s.wait()
	ctx, cancel := context.WithTimeout(context.Background(), 4*apiTimeout)
	defer cancel()
	if fenced == nil && !errors.Is(context.Cause(s.ctx), ErrFenced) { // or else it is another driver's
		keep := s.named && !s.complete
		if err := removeRun(ctx, s.conn, s.run, !keep); err != nil {
			s.log.Warn("a run cannot be removed", "run", s.run, "error", err)
		}
		if keep {
			s.letGo(ctx)
		}
	}
	s.report()
	return errors.Join(errs...)
}

// abandon releases what a session holds that could not be opened.
func (s *session) abandon() {
	s.cancel(errors.New("the run was not begun"))
	s.hangUp()
	s.wait()
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	if s.epoch > 0 && !s.found {
		_ = removeRun(ctx, s.conn, s.run, true)
	} else if s.epoch > 0 {
		s.letGo(ctx)
	}
}

func (s *session) hangUp() {
	s.unlisten()
	s.structure.Lock()
	defer s.structure.Unlock()
	if s.reading != nil {
		s.reading.Stop()
	}
	if s.watcher != nil {
		_ = s.watcher.Stop()
	}
	for _, sub := range s.subs {
		_ = sub.Unsubscribe()
	}
}
