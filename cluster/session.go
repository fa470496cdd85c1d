package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// session is the driver's side of one run.
type session struct {
	conn     *conn
	opts     Options
	task     jobgen.Task
	run      string // its id on the server
	named    bool
	resumed  bool
	complete bool // all jobs are done: nothing needs to be kept
	manifest manifest

	epoch     uint64
	rebuild   sync.Mutex // held while it is found out whether the server has lost the run
	structure sync.Mutex // of what follows, which is made anew when the server has lost it
	revision  uint64     // of the lease
	buckets   buckets
	work      jetstream.Consumer
	results   jetstream.Stream
	reading   jetstream.ConsumeContext
	blobs     *blobs

	ctx        context.Context // ends with the session, and with a cause when it cannot go on
	cancel     context.CancelCauseFunc
	background sync.WaitGroup
	subs       []*nats.Subscription
	unlisten   func() // no more of what becomes of the connection
	watcher    jetstream.KeyWatcher

	slots   []slotState
	sending chan struct{} // limits messages that the server has not acknowledged
	number  atomic.Uint64 // of the last chunk
	heard   atomic.Int64  // when the last result came

	mu     sync.Mutex
	calls  map[uint64]*chunkCall // chunks that are under way
	agents map[string]agentState // that take part
	crew   map[string]member     // workers that are there, whether they take part or not
	served map[string]bool       // workers that were able to run this, by their names
	closed []error               // what Close of workers returned

	segments segmentTable
	past     pastResults
	stats    Stats
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

// Stats counts what happened to a run's chunks.
type Stats struct {
	Chunks     atomic.Int64 // sent
	Resent     atomic.Int64 // because the server had lost them
	Duplicates atomic.Int64 // results that were there already
	Recalled   atomic.Int64 // jobs whose results an earlier driver had got
}

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

// fail ends the session because it cannot go on.
func (s *session) fail(err error) { s.cancel(err) }

// Run runs a chunk: what an earlier driver has left is taken from there, the rest is sent to the workers.
func (s *session) Run(ctx context.Context, slot int, chunk jobgen.Chunk, done func(jobgen.Done)) error {
	s.slots[slot].took = 0
	jobs, first := split(chunk), chunk.First
	for len(jobs) > 0 {
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
		left, err := s.send(ctx, slot, first, chunk.Attempt, jobs[:n], done)
		if err != nil || left > 0 {
			return err
		}
		jobs, first = jobs[n:], first+n
	}
	return nil
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

	message []byte
	refs    []*blobRef
	begun   map[int]map[string]bool // the agents that began a job and were not heard of again

	mu       sync.Mutex
	sequence uint64 // of the message in the stream
	sent     time.Time
}

// send runs some jobs on whichever worker takes them, and returns how many of them were not reported.
func (s *session) send(ctx context.Context, slot, first, attempt int, jobs [][]byte, done func(jobgen.Done)) (left int, err error) {
	c := &chunkCall{
		number: s.number.Add(1), first: first, left: len(jobs), seen: make([]bool, len(jobs)),
		results: make(chan resultMessage, 4), over: make(chan struct{}), running: make(chan struct{}, 1),
	}
	m := chunkMessage{Epoch: s.epoch, Number: c.number, First: first, Attempt: attempt, Digests: s.named}
	defer func() {
		for _, ref := range c.refs {
			s.blobs.release(ref)
		}
	}()
	for _, b := range jobs {
		in := jobInput{Bytes: b}
		if len(b) > inlineBytes {
			if in.Blob, err = s.blobs.put(ctx, b); err != nil {
				return len(jobs), s.unlessOver(ctx, err)
			}
			c.refs = append(c.refs, in.Blob)
		}
		m.Inputs = append(m.Inputs, in)
	}
	c.message = m.append(nil)
	s.mu.Lock()
	s.calls[c.number] = c
	s.mu.Unlock()
	defer s.forget(c)
	s.stats.Chunks.Add(1)
	if err := s.publish(ctx, c); err != nil {
		return c.left, s.unlessOver(ctx, err)
	}
	for {
		select {
		case r := <-c.results:
			last, err := s.take(ctx, slot, c, &r, done)
			if err != nil || c.left == 0 || last {
				return c.left, err
			}
		case <-ctx.Done():
			return c.left, s.cancelChunk(slot, c, done)
		case <-s.ctx.Done():
			return c.left, context.Cause(s.ctx)
		}
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

// take takes what a worker has sent of a chunk. It reports whether the worker is through with it.
func (s *session) take(ctx context.Context, slot int, c *chunkCall, r *resultMessage, done func(jobgen.Done)) (last bool, err error) {
	st := &s.slots[slot]
	st.took = max(r.Took, 1)
	for i := range r.Dones {
		d := &r.Dones[i]
		k := d.Index - c.first
		if k < 0 || k >= len(c.seen) {
			return false, fmt.Errorf("cluster: %s reports job %d, which is not of chunk %d", r.Agent, d.Index, c.number)
		}
		if !s.first(c, k) {
			s.stats.Duplicates.Add(1)
			continue
		}
		out := jobgen.Done{Index: d.Index, Result: d.Bytes, Worker: st.worker(r.Agent, d.Worker), Start: d.Start, Elapsed: d.Elapsed}
		switch {
		case d.Failed:
			out.Result, out.Err = nil, jobgen.ReadError(d.Bytes)
		case d.Blob != nil:
			if out.Result, err = s.blobs.get(ctx, d.Blob); err != nil {
				return false, s.unlessOver(ctx, err)
			}
		}
		done(out)
		if d.Blob != nil && !s.named {
			s.dropBlob(d.Blob)
		}
	}
	if len(r.Fatal) > 0 {
		return true, jobgen.ReadError(r.Fatal)
	}
	if r.Begun >= 0 {
		s.suspect(slot, c, r, done)
	}
	return r.Last, nil
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

// dropBlob removes a result that was read.
func (s *session) dropBlob(ref *blobRef) {
	s.background.Go(func() {
		for _, name := range ref.objects() {
			s.blobs.drop(name)
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

// mostAgents is how many agents may die, one after the other, while they run a job, until it is blamed. A job that only
// kills its own process is blamed at once, by its agent.
const mostAgents = 3

// suspect notes that a job begins alone on an agent, because agents that ran its chunk have died.
func (s *session) suspect(slot int, c *chunkCall, r *resultMessage, done func(jobgen.Done)) {
	k := r.Begun - c.first
	if k < 0 || k >= len(c.seen) {
		return
	}
	if c.begun == nil {
		c.begun = map[int]map[string]bool{}
	}
	if c.begun[r.Begun] == nil {
		c.begun[r.Begun] = map[string]bool{}
	}
	who := r.Agent + r.Start.String()
	if len(c.begun[r.Begun]) >= mostAgents && !c.begun[r.Begun][who] && s.first(c, k) {
		err := &jobgen.WorkerLostError{Reason: fmt.Sprintf("%d agents died, or were cut off, while they ran this job", mostAgents)}
		done(jobgen.Done{Index: r.Begun, Err: err, Worker: s.slots[slot].worker(r.Agent, ""), Start: r.Start})
		s.tell(control{Cancel: c.number})
	}
	c.begun[r.Begun][who] = true
}

// cancelChunk ends a chunk, and waits for the jobs of it that are running, though not for ever.
func (s *session) cancelChunk(slot int, c *chunkCall, done func(jobgen.Done)) error {
	c.mu.Lock()
	sequence := c.sequence
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), cancelGrace)
	defer cancel()
	s.tell(control{Cancel: c.number})
	if sequence > 0 {
		if stream, err := s.conn.js.Stream(ctx, workStream(s.run)); err == nil {
			_ = stream.DeleteMsg(ctx, sequence) // if nobody has taken it yet
		}
	}
	rtt, err := s.conn.nc.RTT()
	if err != nil {
		return nil
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
	s.cancel(errors.New("the run has ended"))
	s.hangUp()
	s.background.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 4*apiTimeout)
	defer cancel()
	cause := context.Cause(s.ctx)
	if !errors.Is(cause, ErrFenced) { // then it is another driver's
		keep := s.named && !s.complete
		if err := removeRun(ctx, s.conn, s.run, !keep); err != nil {
			s.conn.log.Warn("a run cannot be removed", "run", s.run, "error", err)
		}
		if keep {
			s.letGo(ctx)
		}
	}
	return errors.Join(errs...)
}

// abandon releases what a session holds that could not be opened.
func (s *session) abandon() {
	s.cancel(errors.New("the run was not begun"))
	s.hangUp()
	s.background.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	if s.epoch > 0 && !s.resumed {
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
