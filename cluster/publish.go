package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serverGone is how long a driver or a worker tries to store something, while no server answers.
const serverGone = 2 * time.Minute

// publish stores a chunk. It waits for room, for servers that come back, and for streams that are made anew.
func (s *session) publish(ctx context.Context, c *chunkCall) error {
	select {
	case s.sending <- struct{}{}:
		defer func() { <-s.sending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	doing := fmt.Sprintf("storing chunk %d of run %s", c.number, s.run)
	return s.persist(ctx, doing, func(ctx context.Context) error {
		c.mu.Lock()
		c.sent = time.Now()
		c.mu.Unlock()
		ack, err := s.conn.js.Publish(ctx, workSubject(s.run), c.message)
		if err == nil {
			c.mu.Lock()
			c.sequence = ack.Sequence
			c.mu.Unlock()
		}
		return err
	})
}

// persist tries until it is done, or there is no hope.
func (s *session) persist(ctx context.Context, doing string, f func(context.Context) error) error {
	began, pause := time.Now(), 20*time.Millisecond
	told := false
	for {
		err := s.conn.do(ctx, doing, f)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || s.ctx.Err() != nil {
			return err
		}
		switch {
		case isGone(err):
			s.vanished(ctx) // and make it anew
		case isFull(err):
			if s.alone() && time.Since(began) > 2*s.opts.WorkerTimeout {
				return err // nothing is under way that would make room
			}
		case !passing(err):
			return err
		}
		if time.Since(began) > serverGone {
			return err
		}
		if !told && time.Since(began) > 2*time.Second {
			told = true
			s.conn.log.Warn("the cluster does not take chunks; trying on", "run", s.run, "error", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
		pause = min(2*pause, time.Second)
	}
}

// passing reports whether an error may be over the next time.
func passing(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrConnectionReconnecting) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrStaleConnection) ||
		errors.Is(err, jetstream.ErrServerShutdown) || unavailable(err)
}

// unavailable reports whether the server has no answer now: a leader is being elected, or it has just started.
func unavailable(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.Code == 503 && api.ErrorCode != codeNoResources || api.ErrorCode == 10008)
}

// alone reports whether there is at most one chunk under way.
func (s *session) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls) <= 1
}
