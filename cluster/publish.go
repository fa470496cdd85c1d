package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// publish stores a chunk. It waits for room, for servers that come back, and for streams that are made anew.
func (s *session) publish(ctx context.Context, c *chunkCall, message []byte) error {
	select {
	case s.sending <- struct{}{}:
		defer func() { <-s.sending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	doing := fmt.Sprintf("storing chunk %d of run %s", c.number, s.run)
	return s.persist(ctx, doing, func() error {
		return s.conn.do(ctx, doing, func(ctx context.Context) error {
			ack, err := s.conn.publish(ctx, workSubject(s.run), message)
			if err == nil {
				c.mu.Lock()
				c.sequence = ack.Sequence
				c.mu.Unlock()
			}
			return err
		})
	})
}

// persist tries until it is done, or there is no hope.
func (s *session) persist(ctx context.Context, doing string, f func() error) error {
	began, pause := time.Now(), 20*time.Millisecond
	tried := began // since when there is no reason to go on waiting
	told := false
	for {
		err := f()
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
			if s.anyStored() {
				tried = time.Now() // workers will make room, however long they take
			} else if time.Since(tried) > 2*s.opts.WorkerTimeout {
				return err
			}
		case !passing(err):
			return err
		}
		if time.Since(tried) > serverGone {
			return err
		}
		if !told && time.Since(began) > 2*time.Second {
			told = true
			s.log.Warn("the cluster does not take chunks; trying on", "run", s.run, "doing", doing, "error", err)
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
		errors.Is(err, jetstream.ErrServerShutdown) || unavailable(err) || cutOff(err)
}

// cutOff reports whether the connection broke while something was on its way. The library connects again.
func cutOff(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "write" || op.Op == "read") // not the alerts of TLS, which have other names
}

// unavailable reports whether the server has no answer now: a leader is being elected, or it has just started.
func unavailable(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.Code == 503 && api.ErrorCode != codeNoResources || api.ErrorCode == 10008)
}

// anyStored reports whether the server has a chunk that is under way.
func (s *session) anyStored() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if c.isStored() {
			return true
		}
	}
	return false
}
