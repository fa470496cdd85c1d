package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A driver holds a lease on its run: a key whose value it renews, each time only if nobody else has written it meanwhile.
// The revision with which it got the lease is the driver's epoch. Chunks carry it, and what belongs to an older one is dropped.

func isNoKey(err error) bool {
	return errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrKeyDeleted)
}

func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) ||
		errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

func (s *session) leaseText() []byte {
	text, _ := json.Marshal(lease{Named: s.named, Driver: processName(), Host: hostName(), PID: os.Getpid(), Keep: s.opts.Keep})
	return text
}

// acquire gets the lease, if need be from a driver that is dead.
func (s *session) acquire(ctx context.Context) error {
	doing := "beginning run " + s.run
	kv, key := s.buckets.runs, leaseKey(s.run)
	var entry jetstream.KeyValueEntry
	err := s.conn.do(ctx, doing, func(ctx context.Context) error {
		rev, err := kv.Create(ctx, key, s.leaseText())
		if err == nil {
			s.epoch, s.revision = rev, rev
			return nil
		}
		if !isConflict(err) {
			return err
		}
		entry, err = kv.Get(ctx, key)
		return err
	})
	if err != nil || s.epoch > 0 {
		return err
	}
	var old lease
	if err := json.Unmarshal(entry.Value(), &old); err != nil {
		return fmt.Errorf("cluster: the lease of run %s: %w", s.run, err)
	}
	busy := &ServerError{Doing: doing, Kind: ErrRunInProgress, Err: fmt.Errorf("%s", old.Driver), Remedy: "wait for it, or use another name"}
	if !old.Named || !s.named {
		return busy
	}
	if old.PID != 0 && (old.Host != hostName() || processLives(old.PID)) {
		if err := s.watchOther(ctx, entry.Revision(), busy); err != nil {
			return err
		}
	}
	return s.conn.do(ctx, doing, func(ctx context.Context) error {
		rev, err := kv.Update(ctx, key, s.leaseText(), entry.Revision())
		if isConflict(err) {
			return busy
		}
		s.epoch, s.revision = rev, rev
		return err
	})
}

// watchOther returns nil when the holder of the lease is silent for as long as a living one never is.
func (s *session) watchOther(ctx context.Context, revision uint64, busy error) error {
	s.conn.log.Info("run has a driver already; is it alive?", "run", s.run)
	timer := time.NewTimer(leaseGone)
	defer timer.Stop()
	poll := time.NewTicker(leaseEvery / 4)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return nil
		case <-poll.C:
		}
		var entry jetstream.KeyValueEntry
		err := s.conn.do(ctx, "looking at run "+s.run, func(ctx context.Context) (err error) {
			entry, err = s.buckets.runs.Get(ctx, leaseKey(s.run))
			return err
		})
		if isNoKey(err) {
			return busy // it has just ended; what comes now would be a race
		}
		if err != nil {
			return err
		}
		if entry.Revision() != revision {
			return busy
		}
	}
}

// renew keeps the lease, until the run ends.
func (s *session) renew() {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		s.structure.Lock() // not while they are made anew
		err := s.conn.do(s.ctx, "renewing the lease of run "+s.run, func(ctx context.Context) error {
			rev, err := s.buckets.runs.Update(ctx, leaseKey(s.run), s.leaseText(), s.revision)
			if err == nil {
				s.revision = rev
			}
			return err
		})
		if isConflict(err) {
			err = s.fenced(err)
		} else if !errors.Is(err, ErrPermission) {
			err = nil
		}
		s.structure.Unlock()
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// fenced finds out whether another driver has the run. An answer that was lost looks the same at first.
func (s *session) fenced(err error) error {
	var entry jetstream.KeyValueEntry
	e := s.conn.do(s.ctx, "looking at the lease", func(ctx context.Context) (err error) {
		entry, err = s.buckets.runs.Get(ctx, leaseKey(s.run))
		return err
	})
	if e != nil && !isNoKey(e) {
		return nil // the next time will tell
	}
	if e == nil {
		var l lease
		if json.Unmarshal(entry.Value(), &l) == nil && l.Host == hostName() && l.PID == os.Getpid() && entry.Revision() > s.revision {
			s.revision = entry.Revision()
			return nil
		}
		err = fmt.Errorf("%s", l.Driver)
	} else {
		if s.vanished(s.ctx) {
			return nil // the server has lost everything, and the run is about to be made anew
		}
		err = errors.New("it was removed, since this driver was silent for long")
	}
	return &ServerError{Doing: "driving run " + s.run, Kind: ErrFenced, Err: err, Remedy: "the results that it has returned are good"}
}
