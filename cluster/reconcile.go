package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// reconcile sees to it that no chunk is forgotten: when the server has none of them any more and results do not come, those
// that are under way are sent again. A server that lost its store, or acknowledged what it did not keep, costs time
// and no result.
func (s *session) reconcile() {
	every := min(max(s.opts.WorkerTimeout/8, 250*time.Millisecond), 2*time.Second)
	tick := time.NewTicker(every)
	defer tick.Stop()
	quiet := 0
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if !s.waiting(every) {
			quiet = 0
			continue
		}
		gone := false
		var empty bool
		err := s.conn.do(s.ctx, "looking at the chunks of run "+s.run, func(ctx context.Context) error {
			info, err := s.consumer().Info(ctx)
			if isGone(err) {
				gone = true
				return nil
			}
			if err == nil {
				empty = info.NumPending == 0 && info.NumAckPending == 0
			}
			return err
		})
		switch {
		case errors.Is(err, ErrPermission):
			s.fail(err)
			return
		case err != nil:
		case gone:
			s.vanished(s.ctx)
		case empty:
			if quiet++; quiet >= 3 { // results that are on their way have had their time
				quiet = 0
				s.resend()
			}
			continue
		}
		quiet = 0
	}
}

func (s *session) consumer() jetstream.Consumer {
	s.structure.Lock()
	defer s.structure.Unlock()
	return s.work
}

// waiting reports whether chunks are under way, and nothing was heard for a while.
func (s *session) waiting(while time.Duration) bool {
	s.mu.Lock()
	n := len(s.calls)
	s.mu.Unlock()
	return n > 0 && time.Since(time.Unix(0, s.heard.Load())) > while
}

// resend sends all chunks again that are under way. One that is run twice has one result all the same.
func (s *session) resend() {
	s.mu.Lock()
	calls := make([]*chunkCall, 0, len(s.calls))
	for _, c := range s.calls {
		calls = append(calls, c)
	}
	s.mu.Unlock()
	n := 0
	for _, c := range calls {
		c.mu.Lock()
		stored := c.sequence > 0
		c.mu.Unlock()
		if !stored {
			continue // its lane is about to send it
		}
		ctx, cancel := context.WithCancel(s.ctx)
		stop := context.AfterFunc(s.ctx, cancel)
		go func() {
			select {
			case <-c.over:
				cancel()
			case <-ctx.Done():
			}
		}()
		err := s.publish(ctx, c)
		stop()
		cancel()
		if err == nil {
			n++
		}
	}
	if n > 0 {
		s.stats.Resent.Add(int64(n))
		s.conn.log.Warn("the cluster has lost chunks; they were sent again", "run", s.run, "chunks", n)
	}
}

// vanished finds out whether the server has lost the run, and makes it anew then. It reports whether it had.
func (s *session) vanished(ctx context.Context) bool {
	s.rebuild.Lock()
	defer s.rebuild.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	lost := false
	err := s.conn.do(ctx, "looking for run "+s.run, func(ctx context.Context) error {
		for _, name := range []string{workStream(s.run), resultStream(s.run)} {
			stream, err := s.conn.js.Stream(ctx, name)
			if errors.Is(err, jetstream.ErrStreamNotFound) {
				lost = true
				return nil
			}
			if err != nil {
				return err
			}
			consumer := workConsumer
			if name == resultStream(s.run) {
				consumer = readConsumer
			}
			if _, err := stream.Consumer(ctx, consumer); errors.Is(err, jetstream.ErrConsumerNotFound) {
				lost = true
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !lost {
		return false
	}
	s.conn.log.Warn("the cluster has lost the run; it is made anew", "run", s.run)
	if err := s.remake(ctx); err != nil {
		s.conn.log.Warn("the run cannot be made anew yet", "run", s.run, "error", err)
		return false
	}
	s.resend()
	return true
}

// remake makes what the server has lost. What is still there stays.
func (s *session) remake(ctx context.Context) error {
	s.structure.Lock()
	defer s.structure.Unlock()
	if s.reading != nil {
		s.reading.Stop()
	}
	var err error
	if s.buckets, err = openBuckets(ctx, s.conn, s.opts.Replicas); err != nil {
		return err
	}
	if err := s.conn.do(ctx, "renewing the lease of run "+s.run, func(ctx context.Context) error {
		entry, err := s.buckets.runs.Get(ctx, leaseKey(s.run))
		if err == nil && entry.Revision() == s.revision {
			return nil
		}
		if !isNoKey(err) {
			return err // renew finds out whose it is
		}
		s.revision, err = s.buckets.runs.Create(ctx, leaseKey(s.run), s.leaseText())
		return err
	}); err != nil {
		return err
	}
	s.resumed, s.past.last = false, 0 // what was read before is not there, or will come again
	if err := s.makeStreams(ctx); err != nil {
		return err
	}
	if err := s.putConfig(ctx); err != nil {
		return err
	}
	if err := s.consume(ctx); err != nil {
		return err
	}
	return s.putManifest(ctx)
}
