package cluster

import (
	"context"
	"sync"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

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
			return c.left, s.cancelChunk(context.Cause(ctx), slot, c, done)
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

// mostCause is how many bytes an encoded cause may have that goes to the workers with the order to end. Of a longer one they are not told, so
// that the order fits into a message: to their jobs it is context.Canceled.
const mostCause = 64 << 10

// cancelChunk ends a chunk, and waits for the jobs of it that are running, though not for ever.
func (s *session) cancelChunk(cause error, slot int, c *chunkCall, done func(jobgen.Done)) error {
	c.mu.Lock()
	sequence := c.sequence
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), cancelGrace)
	defer cancel()
	began := time.Now()
	order := control{Cancel: c.number}
	if cause != context.Canceled {
		if text := jobgen.AppendError(nil, cause); len(text) <= mostCause {
			order.Cause = text
		}
	}
	s.tell(ctx, order) // its answer says how far away the server is
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
