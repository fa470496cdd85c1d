package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// EmbeddedOptions say what Embedded starts.
type EmbeddedOptions struct {
	Options

	// Workers is how many worker processes are started on this machine; 0 means one for each processor, a
	// negative number none: they are started by somebody else, with [Cluster.WorkerEnv].
	Workers int

	// Slots is how many jobs each worker runs at a time; 0 means 1.
	Slots int

	// StoreDir is where the server keeps what it stores. It is not removed. Empty means a temporary directory, which is.
	StoreDir string

	// MaxStore is how many bytes the server may store; 0 means three quarters of the free room on the disk.
	MaxStore int64
}

// Embedded starts a server inside this process, reachable from this machine only and with a random token, and
// workers: processes of this program, which must call jobgen.Init first in main. It returns when all workers are there.
// ctx limits the time for that. Close ends everything, as does the end of this process.
func Embedded(ctx context.Context, o EmbeddedOptions) (*Cluster, error) {
	switch {
	case o.Workers == 0:
		o.Workers = runtime.GOMAXPROCS(0)
	case o.Slots < 0:
		return nil, fmt.Errorf("cluster: Slots is %d: want a number of jobs at a time, or 0 for one", o.Slots)
	case o.MaxStore < 0:
		return nil, fmt.Errorf("cluster: MaxStore is %d: want a number of bytes, or 0 for what the server finds right", o.MaxStore)
	case o.Replicas > 1:
		return nil, errors.New("cluster: an embedded server is one, so that Replicas cannot be more")
	}
	if os.Getenv("JOBGEN_WORKER") != "" {
		return nil, errors.New("cluster: this process is to be a worker and has not called jobgen.Init: call it first in main")
	}
	e := &embedded{dir: o.StoreDir}
	if e.dir == "" {
		dir, err := os.MkdirTemp("", "jobgen-cluster-")
		if err != nil {
			return nil, fmt.Errorf("cluster: a directory for the server: %w", err)
		}
		e.dir, e.temporary = dir, true
	}
	o.Token, o.Credentials, o.NKey, o.User = rand.Text(), "", "", ""
	if err := e.startServer(o.Token, o.MaxStore); err != nil {
		return nil, errors.Join(err, e.close())
	}
	c, err := Connect(ctx, e.server.ClientURL(), o.Options)
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	c.local, c.token, c.address = e, o.Token, e.server.ClientURL()
	if _, err := openBuckets(ctx, c.conn, 1); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for range max(o.Workers, 0) {
		if err := e.startWorker(c.WorkerEnv(), max(o.Slots, 1)); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	if err := e.await(ctx, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// embedded is a server in this process, and its workers.
type embedded struct {
	server    *server.Server
	dir       string
	temporary bool

	mu      sync.Mutex
	workers []*localWorker
}

func (e *embedded) startServer(token string, maxStore int64) error {
	if maxStore == 0 {
		maxStore = -1 // the server looks for itself
	}
	opts := &server.Options{
		ServerName: "jobgen-embedded", Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: token,
		JetStream: true, StoreDir: e.dir, JetStreamMaxStore: maxStore,
		NoLog: true, NoSigs: true, PingInterval: 10 * time.Second, MaxPingsOut: 2,
		WriteDeadline: 10 * time.Second,
	}
	var err error
	if e.server, err = server.NewServer(opts); err != nil {
		return fmt.Errorf("cluster: starting a server: %w", err)
	}
	e.server.Start()
	if !e.server.ReadyForConnections(10 * time.Second) {
		return errors.New("cluster: the embedded server did not start within 10s")
	}
	if !e.server.JetStreamEnabled() {
		return fmt.Errorf("cluster: the embedded server has no JetStream: can it write to %s?", filepath.Clean(e.dir))
	}
	return nil
}

// await waits until all workers have said that they are there.
func (e *embedded) await(ctx context.Context, c *Cluster) error {
	if len(e.workers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	kv, err := c.conn.js.KeyValue(ctx, workersBucket)
	if err != nil {
		return explain("looking for workers", err)
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return explain("looking for workers", err)
	}
	defer w.Stop()
	there := map[string]bool{}
	lost := make(chan error, len(e.workers))
	for _, p := range e.all() {
		go func() {
			select {
			case <-p.ended:
				lost <- p.reason()
			case <-ctx.Done():
			}
		}()
	}
	for len(there) < len(e.workers) {
		select {
		case entry := <-w.Updates():
			if entry != nil {
				there[entry.Key()] = true
			}
		case err := <-lost:
			return err
		case <-ctx.Done():
			return fmt.Errorf("cluster: %d of %d workers came: %w", len(there), len(e.workers), context.Cause(ctx))
		}
	}
	return nil
}

func (e *embedded) close() error {
	var err error
	for _, w := range e.all() {
		w.askToEnd()
	}
	for _, w := range e.all() {
		w.wait(3 * time.Second)
	}
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
	if e.temporary {
		err = os.RemoveAll(e.dir)
	}
	return err
}
