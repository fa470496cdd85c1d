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
	text, _ := json.Marshal(lease{ID: s.leaseID, Named: s.named, Driver: processName(), Host: hostName(), PID: os.Getpid(), Keep: s.opts.Keep})
	return text
}

// acquire gets the lease, if need be from a driver that is dead.
func (s *session) acquire(ctx context.Context) error {
	doing := "beginning run " + s.run
	kv, key := s.buckets.runs, leaseKey(s.run)
	var entry jetstream.KeyValueEntry
	err := s.conn.again(ctx, doing, func(ctx context.Context) error {
		rev, err := kv.Create(ctx, key, s.leaseText())
		if err == nil {
			s.epoch = rev
			return s.holds(ctx, kv, rev)
		}
		if !isConflict(err) {
			return err
		}
		if entry, err = kv.Get(ctx, key); err == nil && s.isMine(entry) { // the answer to Create was lost
			s.epoch = entry.Revision()
			return s.holds(ctx, kv, s.epoch)
		}
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
	return s.conn.again(ctx, doing, func(ctx context.Context) error {
		rev, err := kv.Update(ctx, key, s.leaseText(), entry.Revision())
		if isConflict(err) {
			now, e := kv.Get(ctx, key)
			if e != nil || !s.isMine(now) {
				return busy
			}
			rev, err = now.Revision(), nil
		}
		if err == nil {
			s.epoch = rev
			err = s.holds(ctx, kv, rev)
		}
		return err
	})
}

// isMine reports whether this session has written the lease.
func (s *session) isMine(entry jetstream.KeyValueEntry) bool {
	var l lease
	return json.Unmarshal(entry.Value(), &l) == nil && l.ID == s.leaseID
}

// watchOther returns nil when the holder of the lease is silent for as long as a living one never is.
func (s *session) watchOther(ctx context.Context, revision uint64, busy error) error {
	s.log.Info("the run has a driver already; is it alive?", "run", s.run, "error", busy)
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
		s.sayHere()
		if err := s.renewNow(s.ctx); isConflict(err) {
			if err := s.fenced(err); err != nil {
				s.fail(err)
				return
			}
		} else if errors.Is(err, ErrPermission) {
			s.fail(err)
			return
		}
	}
}

func (s *session) renewNow(ctx context.Context) error {
	s.holding.Lock()
	defer s.holding.Unlock()
	return s.conn.do(ctx, "renewing the lease of run "+s.run, func(ctx context.Context) error {
		rev, err := s.kv().Update(ctx, leaseKey(s.run), s.leaseText(), s.revision)
		if err == nil {
			s.revision = rev
		}
		return err
	})
}

// stillHeld makes sure, before what is on the server is touched for the last time, that it is not another driver's by now.
func (s *session) stillHeld() error {
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	err := s.renewNow(ctx)
	if !isConflict(err) {
		return nil
	}
	other, err := s.holder(ctx)
	if err != nil || other == "" {
		return nil
	}
	return s.errFenced(errors.New(other))
}

// holder returns the driver that holds the lease, or "" if it is this one. An answer that was lost, or a server that has come
// back with an older copy of its store, make the revision another one than this session knows.
func (s *session) holder(ctx context.Context) (other string, err error) {
	var entry jetstream.KeyValueEntry
	err = s.conn.do(ctx, "looking at the lease of run "+s.run, func(ctx context.Context) (err error) {
		entry, err = s.kv().Get(ctx, leaseKey(s.run))
		return err
	})
	if err != nil {
		return "", err
	}
	if s.isMine(entry) {
		s.holding.Lock()
		s.revision = entry.Revision()
		s.holding.Unlock()
		return "", nil
	}
	var l lease
	if err := json.Unmarshal(entry.Value(), &l); err != nil || l.Driver == "" {
		l.Driver = "one that writes no name"
	}
	return l.Driver, nil
}

// fenced finds out whether another driver has the run.
func (s *session) fenced(err error) error {
	other, e := s.holder(s.ctx)
	switch {
	case isNoKey(e):
		if removed, e := s.removed(s.ctx); errors.Is(e, ErrFenced) {
			return e
		} else if removed {
			return nil // perhaps: the next time will tell
		}
		s.vanished(s.ctx) // the server has lost everything, and the run is made anew
		return nil
	case e != nil || other == "":
		return nil // the next time will tell
	}
	return s.errFenced(errors.New(other))
}

// removed reports whether the lease is not there because somebody has removed it: another driver that has brought the run to
// its end, or thought this one dead. The error is then an ErrFenced; any other one says that it cannot be seen now. A bucket
// that is another one than before, or an older copy, has lost the lease.
func (s *session) removed(ctx context.Context) (bool, error) {
	s.holding.Lock() // so that it is not made anew meanwhile
	defer s.holding.Unlock()
	var info *jetstream.StreamInfo
	err := s.conn.do(ctx, "looking at the bucket of runs", func(ctx context.Context) (err error) {
		if _, err := s.kv().Get(ctx, leaseKey(s.run)); !isNoKey(err) {
			return err
		}
		info, err = bucketInfo(ctx, s.kv())
		return err
	})
	if err != nil && !isGone(err) {
		return true, err
	}
	if err != nil || info == nil {
		return false, nil
	}
	if info.Created.Equal(s.born) && info.State.LastSeq >= s.revision {
		return true, s.errFenced(errors.New("it was ended or removed, while this driver was silent"))
	}
	return false, nil
}

func bucketInfo(ctx context.Context, kv jetstream.KeyValue) (*jetstream.StreamInfo, error) {
	status, err := kv.Status(ctx)
	if err != nil {
		return nil, err
	}
	bucket, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return nil, fmt.Errorf("the status of a bucket is a %T", status)
	}
	return bucket.StreamInfo(), nil
}

// holds notes a lease that this session has got. s.holding is held, if there is somebody else who could.
func (s *session) holds(ctx context.Context, kv jetstream.KeyValue, revision uint64) error {
	info, err := bucketInfo(ctx, kv)
	if err == nil {
		s.revision, s.born = revision, info.Created
	}
	return err
}

func (s *session) errFenced(err error) error {
	return &ServerError{Doing: "driving run " + s.run, Kind: ErrFenced, Err: err, Remedy: "the results that it has returned are good"}
}

// kv is the bucket of runs.
func (s *session) kv() jetstream.KeyValue {
	s.structure.Lock()
	defer s.structure.Unlock()
	return s.buckets.runs
}
