package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func init() {
	scheme := jobgen.Scheme{Open: openAddress, Serve: serveAddress}
	jobgen.RegisterBackend("nats", scheme)
	jobgen.RegisterBackend("tls", scheme)
}

// Cluster is a connection to servers on which runs are driven. It is a backend for jobgen.On, and may be used
// by several runs at a time.
type Cluster struct {
	conn    *conn
	opts    Options
	address string
	token   string    // that workers need
	local   *embedded // what Embedded has started
	counts  counters
}

// Connect connects to servers: "nats://host:4222", "tls://a,tls://b". It returns a [*ServerError] if that fails; ctx limits
// the time for it. The connection is kept until Close; when it is lost it comes back by itself, and runs go on.
func Connect(ctx context.Context, url string, o Options) (*Cluster, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c, err := dial(ctx, url, "jobgen driver", driverInbox, &o)
	if err != nil {
		return nil, err
	}
	return &Cluster{conn: c, opts: o, address: withoutUsers(splitURLs(url))}, nil
}

// Close ends the connection, and for [Embedded] the workers and the server. No run may be under way.
func (c *Cluster) Close() error {
	c.conn.close()
	if c.local != nil {
		return c.local.close()
	}
	return nil
}

// String names the backend.
func (c *Cluster) String() string { return "cluster" }

// LimitsWorkers says that workers can be limited.
func (c *Cluster) LimitsWorkers() {}

// Open begins a run.
func (c *Cluster) Open(ctx context.Context, task jobgen.Task) (jobgen.Session, error) {
	if c == nil {
		return nil, errors.New("cluster: a nil Cluster: was the error of Connect or Embedded looked at?")
	}
	return c.open(ctx, task, "")
}

// Resumable returns a backend for one run that has a name: letters, digits, '-' and '_'. What is done of it stays on the
// server when its driver dies, or the run fails or is cancelled; run again under the same name, with the same worker,
// configuration and inputs, it goes on from there. Jobs that had failed are run again, as are those whose input is
// another one. A run that is under way elsewhere is refused with [ErrRunInProgress]; a driver that was thought dead and
// comes back fails with [ErrFenced].
//
// A run that ends well leaves nothing behind. One that is not taken up is removed after Options.Keep, by the next
// driver that comes by, or by [Cluster.Remove].
func (c *Cluster) Resumable(name string) jobgen.Backend { return namedRun{c, name} }

type namedRun struct {
	*Cluster
	name string
}

func (n namedRun) Open(ctx context.Context, task jobgen.Task) (jobgen.Session, error) {
	if err := checkRunID(n.name); err != nil {
		return nil, err
	}
	return n.Cluster.open(ctx, task, n.name)
}

// Remove removes what is left on the server of a run with a name. It is no error if there is nothing.
func (c *Cluster) Remove(ctx context.Context, name string) error {
	if err := checkRunID(name); err != nil {
		return err
	}
	return removeRun(ctx, c.conn, name, true)
}

// openAddress is for JOBGEN_BACKEND: each run has its own connection, since nobody would close one.
func openAddress(address string) (jobgen.Backend, error) {
	o, err := optionsFromEnv()
	if err != nil {
		return nil, err
	}
	return addressed{address, o, os.Getenv(envRun)}, nil
}

type addressed struct {
	address string
	opts    Options
	run     string
}

func (a addressed) String() string { return "cluster" }
func (a addressed) LimitsWorkers() {}

func (a addressed) Open(ctx context.Context, task jobgen.Task) (jobgen.Session, error) {
	if a.run != "" {
		if err := checkRunID(a.run); err != nil {
			return nil, fmt.Errorf("%s: %w", envRun, err)
		}
	}
	o := a.opts
	if task.Logger != nil {
		o.Logger = task.Logger
	}
	c, err := Connect(ctx, a.address, o)
	if err != nil {
		return nil, err
	}
	s, err := c.open(ctx, task, a.run)
	if err != nil {
		c.Close()
		return nil, err
	}
	return closing{s.(*session), c}, nil
}

// closing is a session with its connection.
type closing struct {
	*session
	c *Cluster
}

func (s closing) Close() error {
	err := s.session.Close()
	if e := s.c.Close(); err == nil {
		err = e
	}
	return err
}

// buckets are what all runs share.
type buckets struct{ runs, workers jetstream.KeyValue }

// openBuckets finds the buckets, or makes them.
func openBuckets(ctx context.Context, c *conn, replicas int) (b buckets, err error) {
	open := func(cfg jetstream.KeyValueConfig) (kv jetstream.KeyValue) {
		if err != nil {
			return nil
		}
		err = c.again(ctx, "opening the bucket "+cfg.Bucket, func(ctx context.Context) error {
			var err error
			if kv, err = c.js.KeyValue(ctx, cfg.Bucket); err == nil || !isGone(err) {
				return err
			}
			kv, err = c.js.CreateOrUpdateKeyValue(ctx, cfg)
			return err
		})
		if err == nil && replicas > 1 {
			err = replicate(ctx, c, kv, cfg)
		}
		return kv
	}
	b.runs = open(jetstream.KeyValueConfig{Bucket: runsBucket, Description: "runs of jobgen", Replicas: replicas})
	b.workers = open(jetstream.KeyValueConfig{Bucket: workersBucket, Description: "workers of jobgen", Replicas: replicas, TTL: 10 * presenceGone})
	return b, err
}

// replicate has a bucket held by as many servers as the runs in it: a driver that asks for fewer may have made it.
func replicate(ctx context.Context, c *conn, kv jetstream.KeyValue, cfg jetstream.KeyValueConfig) error {
	return c.again(ctx, "replicating the bucket "+cfg.Bucket, func(ctx context.Context) error {
		status, err := kv.Status(ctx)
		if err != nil || status.Config().Replicas >= cfg.Replicas {
			return err
		}
		_, err = c.js.UpdateKeyValue(ctx, cfg)
		return err
	})
}
