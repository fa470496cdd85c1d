package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// firstWatch waits until a driver has made the bucket of runs: workers need no right to. It returns nil if the worker was
// told to end before.
func (a *agent) firstWatch() (*watching, error) {
	began, told := time.Now(), false
	for {
		w, err := a.watch(a.ctx)
		switch {
		case err == nil:
			return w, nil
		case a.failure() != nil:
			return nil, a.failure()
		case a.pulling.Err() != nil:
			return nil, nil
		case errors.Is(err, jetstream.ErrBucketNotFound):
		case !passing(err) || errors.Is(err, ErrNoJetStream) || time.Since(began) > serverGone:
			return nil, err
		}
		if !told {
			told = true
			a.conn.log.Info("no driver has been on this cluster yet; waiting for the first")
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-a.pulling.Done():
		}
	}
}

// watch opens the bucket of runs, and follows what is in it.
func (a *agent) watch(ctx context.Context) (w *watching, err error) {
	err = a.conn.do(ctx, "looking for runs", func(ctx context.Context) error {
		kv, err := a.conn.js.KeyValue(ctx, runsBucket)
		if err != nil {
			return err
		}
		connects := a.conn.connects.Load()
		kw, err := kv.Watch(a.ctx, "run.*")
		if err == nil {
			w = &watching{kw, connects, map[string]bool{}, time.Time{}}
		}
		return err
	})
	return w, err
}

// watching is the bucket of runs, as an agent follows it.
type watching struct {
	jetstream.KeyWatcher
	connects int64           // when it began
	there    map[string]bool // runs that are in it
	complete time.Time       // when all were known that had been there before
}

// follow takes up runs as they come and go. When the server was away, or has lost its buckets, it begins anew: the numbers
// by which changes are told apart may have done so too.
func (a *agent) follow(w *watching) {
	check := time.NewTicker(presenceEvery / 4)
	defer check.Stop()
	for {
		select {
		case <-a.ctx.Done():
			_ = w.Stop()
			return
		case e, ok := <-w.Updates():
			if ok {
				a.look(w, e)
				continue
			}
		case <-check.C:
			if !a.stale(w) {
				a.dropForgotten(w)
				continue
			}
		}
		_ = w.Stop()
		for {
			again, err := a.watch(a.ctx)
			if err == nil {
				w = again
				break
			}
			if errors.Is(err, ErrPermission) {
				a.giveUp(err)
			}
			if a.ctx.Err() == nil && !passing(err) {
				a.conn.log.Warn("the cluster has no bucket of runs; trying on", "error", err)
			}
			select {
			case <-a.ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}
}

// look takes a change.
func (a *agent) look(w *watching, e jetstream.KeyValueEntry) {
	switch {
	case e == nil:
		w.complete = time.Now()
	case e.Operation() == jetstream.KeyValuePut:
		w.there[e.Key()] = true
		a.met(e)
	default:
		delete(w.there, e.Key())
		a.met(e)
	}
}

// stale reports whether the bucket has to be looked at anew.
func (a *agent) stale(w *watching) bool {
	if !a.conn.nc.IsConnected() {
		return false // it will be
	}
	if a.unsure || w.connects != a.conn.connects.Load() {
		a.unsure = false
		return true
	}
	if time.Since(a.checked) < presenceEvery {
		return false
	}
	a.checked = time.Now()
	gone := false
	_ = a.conn.do(a.ctx, "looking at the bucket of runs", func(ctx context.Context) error {
		_, err := a.conn.js.KeyValue(ctx, runsBucket)
		gone = isGone(err)
		return err
	})
	return gone
}

// dropForgotten ends the runs that are not in the bucket. A driver whose server has lost everything has a while to put its
// run there again.
func (a *agent) dropForgotten(w *watching) {
	if w.complete.IsZero() || time.Since(w.complete) < 2*leaseGone {
		return
	}
	a.mu.Lock()
	var lost []*hosted
	for run, h := range a.runs {
		if !w.there[manifestKey(run)] {
			lost = append(lost, h)
		}
	}
	a.mu.Unlock()
	for _, h := range lost {
		a.conn.log.Warn("a run is not there any more", "run", h.manifest.Run)
		a.dropHosted(h)
	}
}
