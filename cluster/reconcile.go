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
		case <-s.gone:
			s.vanished(s.ctx)
			select { // not one time after the other
			case <-s.ctx.Done():
				return
			case <-tick.C:
			}
			continue
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
				if n := s.resend(); n > 0 {
					s.log.Warn("the cluster has lost chunks; they are sent again", "run", s.run, "chunks", n)
				}
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

// resend has all chunks sent again that are under way, and returns how many. One that is run twice has one result all the
// same.
func (s *session) resend() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		c.mu.Lock()
		stored := c.sequence > 0 // or else it is about to be
		c.sequence = 0
		c.mu.Unlock()
		if stored {
			c.sendAgain()
			n++
		}
	}
	return n
}

// vanished finds out whether the server has lost the run, and makes it anew then.
func (s *session) vanished(ctx context.Context) {
	s.rebuild.Lock()
	defer s.rebuild.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	lost, past, err := s.whatIsLost(ctx)
	if err != nil || !lost {
		return
	}
	s.log.Warn("the cluster has lost the run; it is made anew", "run", s.run)
	if err := s.remake(ctx, past); err != nil {
		if errors.Is(err, ErrFenced) {
			s.fail(err)
		}
		s.log.Warn("the run cannot be made anew yet", "run", s.run, "error", err)
		return
	}
	s.count(runsRemade, 1)
	s.resend()
}

// whatIsLost reports whether something of the run is no more, and whether the results of earlier drivers are still there.
func (s *session) whatIsLost(ctx context.Context) (lost, past bool, err error) {
	look := func(doing string, f func(context.Context) error) (there bool) {
		if err != nil {
			return true
		}
		e := s.conn.do(ctx, doing, f)
		if isNoKey(e) || isGone(e) {
			lost = true
			return false
		}
		err = e
		return e == nil
	}
	stream := func(name, consumer string) bool {
		there := look("looking for the stream "+name, func(ctx context.Context) error {
			_, err := s.conn.js.Stream(ctx, name)
			return err
		})
		if there {
			look("looking for the consumer of "+name, func(ctx context.Context) error {
				_, err := s.conn.js.Consumer(ctx, name, consumer)
				return err
			})
		}
		return there
	}
	stream(workStream(s.run), workConsumer)
	past = stream(resultStream(s.run), readConsumer)
	bucket := look("looking for the bucket "+runsBucket, func(ctx context.Context) error {
		_, err := s.conn.js.KeyValue(ctx, runsBucket)
		return err
	})
	for _, key := range []string{leaseKey(s.run), manifestKey(s.run)} {
		if !bucket { // a question for a key would have no answer
			break
		}
		look("looking for "+key, func(ctx context.Context) error {
			_, err := s.kv().Get(ctx, key)
			return err
		})
	}
	look("looking for the bucket of run "+s.run, func(ctx context.Context) error {
		_, err := s.conn.js.ObjectStore(ctx, blobBucket(s.run))
		return err
	})
	return lost, past, err
}

// remake makes what the server has lost. What is still there stays.
func (s *session) remake(ctx context.Context, past bool) error {
	b, err := openBuckets(ctx, s.conn, s.opts.Replicas)
	if err != nil {
		return err
	}
	s.structure.Lock()
	s.buckets = b
	s.structure.Unlock()
	if err := s.reclaim(ctx); err != nil {
		return err
	}
	if !past {
		s.past.forget()
	}
	if err := s.makeStreams(ctx); err != nil {
		return err
	}
	s.segments.forget()
	if err := s.putConfig(ctx); err != nil {
		return err
	}
	if err := s.consume(ctx); err != nil {
		return err
	}
	return s.putManifest(ctx)
}

// reclaim gets a lease back that the server has lost.
func (s *session) reclaim(ctx context.Context) error {
	other, err := s.holder(ctx)
	if err == nil && other != "" {
		return s.errFenced(errors.New(other))
	}
	if !isNoKey(err) {
		return err
	}
	if removed, err := s.removed(ctx); err != nil || removed {
		return err
	}
	s.holding.Lock()
	defer s.holding.Unlock()
	return s.conn.do(ctx, "renewing the lease of run "+s.run, func(ctx context.Context) error {
		rev, err := s.kv().Create(ctx, leaseKey(s.run), s.leaseText())
		if err == nil {
			err = s.holds(ctx, s.kv(), rev)
		}
		return err
	})
}
