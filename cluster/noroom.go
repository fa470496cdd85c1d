package cluster

import (
	"cmp"
	"context"
	"slices"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// noRoom is told that results find no room. Chunks may have taken it: some are withdrawn, to be sent again later. When that
// has not helped for long the run ends. The results of a run with a name stay until its end, so that there is less to hope
// for; others are taken off as they come, and it is another run's that fill the store.
func (s *session) noRoom(e *event) {
	if s.named && e.Since > max(2*s.opts.WorkerTimeout, 3*withdrawEvery) || e.Since > serverGone {
		s.fail(&ServerError{
			Doing: "storing results of run " + s.run, Kind: ErrStoreFull, Err: jobgen.ReadError(e.Err),
			Remedy: "give the server more room (max_file_store), or the run a larger Options.MaxBytes, in which all results of a run with a name must fit",
		})
		return
	}
	s.mu.Lock()
	due := time.Since(s.withdrawn) > withdrawEvery
	if due {
		s.withdrawn = time.Now()
	}
	s.mu.Unlock()
	if due && e.Since > withdrawEvery/2 {
		s.spawn(s.withdraw)
	}
}

const (
	withdrawEvery = time.Second
	withdrawnFor  = 3 * time.Second // results have this long to use the room
)

// withdraw takes the newer half of the chunks that the server has from it. Where one of them is being run already, its
// results are taken as any others.
func (s *session) withdraw() {
	s.mu.Lock()
	var stored []*chunkCall
	for _, c := range s.calls {
		if c.isStored() {
			stored = append(stored, c)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(stored, func(a, b *chunkCall) int { return cmp.Compare(b.number, a.number) })
	stored = stored[:(len(stored)+1)/2]
	if len(stored) == 0 {
		return
	}
	s.log.Warn("results find no room on the server; chunks are withdrawn for a while", "run", s.run, "chunks", len(stored))
	_ = s.conn.do(s.ctx, "withdrawing chunks of run "+s.run, func(ctx context.Context) error {
		stream, err := s.conn.js.Stream(ctx, workStream(s.run))
		if err != nil {
			return err
		}
		for _, c := range stored {
			c.mu.Lock()
			sequence := c.sequence
			c.sequence = 0
			c.mu.Unlock()
			_ = stream.DeleteMsg(ctx, sequence)
		}
		return nil
	})
	time.AfterFunc(withdrawnFor, func() {
		for _, c := range stored {
			c.sendAgain()
		}
	})
}

func (c *chunkCall) isStored() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sequence > 0
}
