package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// removeRun removes all that is on the server of a run, first what leads workers to it; or else only its chunks.
func removeRun(ctx context.Context, c *conn, run string, results bool) error {
	var errs []error
	try := func(doing string, f func(context.Context) error) {
		err := c.do(ctx, doing, f)
		if err != nil && !isGone(err) && !errors.Is(err, jetstream.ErrKeyNotFound) && !errors.Is(err, jetstream.ErrStreamNotFound) {
			errs = append(errs, err)
		}
	}
	kv, err := c.js.KeyValue(ctx, runsBucket)
	if err == nil && results {
		try("removing the manifest of run "+run, func(ctx context.Context) error { return kv.Purge(ctx, manifestKey(run)) })
	}
	try("removing the chunks of run "+run, func(ctx context.Context) error { return c.js.DeleteStream(ctx, workStream(run)) })
	if results {
		try("removing the results of run "+run, func(ctx context.Context) error { return c.js.DeleteStream(ctx, resultStream(run)) })
		try("removing the blobs of run "+run, func(ctx context.Context) error { return c.js.DeleteObjectStore(ctx, blobBucket(run)) })
		if err == nil {
			try("removing the lease of run "+run, func(ctx context.Context) error { return kv.Purge(ctx, leaseKey(run)) })
		}
	}
	return errors.Join(errs...)
}

// tidy removes the runs of drivers that are dead, as seen by the server's clock, which now is a time of.
func tidy(ctx context.Context, c *conn, kv jetstream.KeyValue, now time.Time) {
	keys, err := kv.ListKeysFiltered(ctx, "lease.*")
	if err != nil {
		return
	}
	for key := range keys.Keys() {
		run := strings.TrimPrefix(key, "lease.")
		entry, err := kv.Get(ctx, key)
		if err != nil {
			continue
		}
		var l lease
		if json.Unmarshal(entry.Value(), &l) != nil {
			continue
		}
		if age := now.Sub(entry.Created()); age > max(leaseGone, l.keep()) {
			if err := removeRun(ctx, c, run, true); err != nil {
				c.log.Warn("the run of a dead driver cannot be removed", "run", run, "driver", l.Driver, "error", err)
			} else {
				c.log.Info("removed the run of a dead driver", "run", run, "driver", l.Driver, "silent", age.Round(time.Second))
			}
		}
	}
	purgeOld(ctx, kv)
}

// keep is how long a run is kept when its driver is silent: one without a name is of no use to anybody.
func (l *lease) keep() time.Duration {
	if l.Named {
		return l.Keep
	}
	return unnamedKept
}

// unnamedKept is how long a driver whose run has no name may be silent: a machine that sleeps for a moment is no reason to
// end its run.
const unnamedKept = 2 * time.Minute

// purgeOld removes the marks of what was removed, which would add up.
func purgeOld(ctx context.Context, kv jetstream.KeyValue) {
	_ = kv.PurgeDeletes(ctx, jetstream.DeleteMarkersOlderThan(time.Minute))
}
