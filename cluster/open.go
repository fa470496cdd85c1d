package cluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// open begins a run. A name makes it one that can be taken up again.
func (c *Cluster) open(ctx context.Context, task jobgen.Task, name string) (_ jobgen.Session, err error) {
	build, err := buildID()
	if err != nil {
		return nil, fmt.Errorf("cluster: reading this program's executable: %w", err)
	}
	s := &session{
		conn: c.conn, opts: c.opts, task: task, run: name, named: name != "",
		calls: map[uint64]*chunkCall{}, agents: map[string]agentState{}, closes: map[string]time.Time{}, crew: map[string]member{}, served: map[string]bool{},
		sending: make(chan struct{}, 64), gone: make(chan struct{}, 1), total: &c.counts, leaseID: rand.Text(), log: c.conn.log, blobs: newBlobs(c.conn, nil),
	}
	if task.Logger != nil {
		s.log = task.Logger
	}
	if !s.named {
		s.run = task.Run.ID
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.unlisten = c.conn.onLost(s.fail)
	defer func() {
		if err != nil {
			if lost := context.Cause(s.ctx); lost != nil {
				err = lost // a permission is missing, and what waited for it was given up
			}
			s.abandon()
		}
	}()
	if s.buckets, err = openBuckets(ctx, c.conn, s.opts.Replicas); err != nil {
		return nil, err
	}
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	s.manifest = manifest{
		Run: s.run, Epoch: s.epoch, Named: s.named, Worker: task.Worker, Fingerprint: task.Fingerprint,
		Build: build, OtherBuilds: s.opts.OtherBuilds, Config: task.Config, Info: task.Run,
		JobTimeout: task.JobTimeout, Untimed: task.Untimed, MaxJobs: task.MaxJobsPerWorker, Memory: task.MemoryLimit,
		LogLevel: jobgen.LowestLevel(task.Logger), AckWait: s.opts.WorkerTimeout, Driver: processName(),
	}
	if err := s.recall(ctx); err != nil {
		return nil, err
	}
	if err := s.makeStreams(ctx); err != nil {
		return nil, err
	}
	if s.resumed {
		if err := s.readPast(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.putConfig(ctx); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	if err := s.consume(ctx); err != nil {
		return nil, err
	}
	// Before the workers are told of the run: what they say of themselves changes then, and some might be missed.
	if err := s.watchCrew(ctx); err != nil {
		return nil, err
	}
	if err := s.putManifest(ctx); err != nil {
		return nil, err
	}
	s.makeSlots()
	s.background.Go(s.renew)
	s.background.Go(s.reconcile)
	s.background.Go(s.lookForWorkers)
	s.background.Go(s.lookForServer)
	s.background.Go(s.janitor)
	return s, nil
}

// processName names this process: "host (pid 4711)".
func processName() string { return hostName() + " (pid " + strconv.Itoa(os.Getpid()) + ")" }

var hostName = sync.OnceValue(func() string {
	if h, err := os.Hostname(); err == nil {
		return h
	}
	return "unknown host"
})

// recall checks that a run that is taken up is the same one.
func (s *session) recall(ctx context.Context) error {
	if !s.named {
		return nil
	}
	var old manifest
	var found bool
	err := s.conn.again(ctx, "reading the manifest of run "+s.run, func(ctx context.Context) error {
		entry, err := s.buckets.runs.Get(ctx, manifestKey(s.run))
		if isNoKey(err) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		return json.Unmarshal(entry.Value(), &old)
	})
	if s.found = found || err != nil; err != nil || !found {
		return err
	}
	what := ""
	switch {
	case old.Worker != s.task.Worker:
		what = fmt.Sprintf("it is of %s, not of %s", old.Worker, s.task.Worker)
	case old.Fingerprint != s.task.Fingerprint:
		what = "its jobs are encoded in another way: the types have changed"
	case !sameConfig(&old, s.task.Config):
		what = "the worker's configuration is another one"
	case old.Info.Jobs != s.task.Run.Jobs:
		what = fmt.Sprintf("it has %d jobs, not %d", old.Info.Jobs, s.task.Run.Jobs)
	}
	if what != "" {
		return &ServerError{Doing: "taking up run " + s.run, Kind: ErrOtherRun, Err: fmt.Errorf("%s", what), Remedy: "use another name, or remove the run with Cluster.Remove"}
	}
	s.resumed = true
	return nil
}

func sameConfig(old *manifest, config []byte) bool {
	if len(old.ConfigSum) > 0 {
		return bytes.Equal(old.ConfigSum, configSum(config))
	}
	return bytes.Equal(old.Config, config)
}

func configSum(config []byte) []byte {
	sum := sha256.Sum256(config)
	return sum[:]
}

// makeStreams makes the run's streams and bucket, or finds those that are there.
func (s *session) makeStreams(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, 3)
	wg.Go(func() { errs[0] = s.makeWork(ctx) })
	wg.Go(func() { errs[1] = s.makeResults(ctx) })
	wg.Go(func() {
		errs[2] = s.conn.again(ctx, "making the bucket of run "+s.run, func(ctx context.Context) error {
			store, err := s.conn.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: blobBucket(s.run), Replicas: s.opts.Replicas})
			if err == nil {
				s.blobs.renew(store)
			}
			return err
		})
	})
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) makeWork(ctx context.Context) error {
	return s.conn.again(ctx, "making the stream of chunks of run "+s.run, func(ctx context.Context) error {
		stream, err := s.conn.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: workStream(s.run), Subjects: []string{workSubject(s.run)},
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxBytes: noLimit(s.opts.MaxBytes),
			Replicas: s.opts.Replicas, Storage: jetstream.FileStorage, AllowDirect: true,
		})
		if err != nil {
			return err
		}
		if s.resumed && s.slots == nil { // they are another driver's
			if err := stream.Purge(ctx); err != nil {
				return err
			}
		}
		work, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: workConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: s.opts.WorkerTimeout,
			MaxDeliver: -1, MaxAckPending: 65536, MaxWaiting: 4096,
		})
		s.structure.Lock()
		s.work = work
		s.structure.Unlock()
		return err
	})
}

func (s *session) makeResults(ctx context.Context) error {
	return s.conn.again(ctx, "making the stream of results of run "+s.run, func(ctx context.Context) error {
		cfg := jetstream.StreamConfig{
			Name: resultStream(s.run), Subjects: []string{resultSubject(s.run)},
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxBytes: noLimit(s.opts.MaxBytes),
			Replicas: s.opts.Replicas, Storage: jetstream.FileStorage, AllowDirect: true,
		}
		if s.named { // what was read stays, for a driver that takes over
			cfg.Retention = jetstream.LimitsPolicy
		}
		results, err := s.conn.js.CreateOrUpdateStream(ctx, cfg)
		s.structure.Lock()
		s.results = results
		s.structure.Unlock()
		return err
	})
}

func noLimit(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// putConfig stores a configuration that is too large for the manifest.
func (s *session) putConfig(ctx context.Context) error {
	if len(s.task.Config) <= s.conn.inline() {
		return nil
	}
	if s.config != nil {
		return s.blobs.ensure(ctx, s.config, s.task.Config, true)
	}
	ref, err := s.blobs.put(ctx, s.task.Config)
	if err != nil {
		return err
	}
	s.config = ref
	s.manifest.Config, s.manifest.ConfigBlob = nil, ref.append(nil)
	s.manifest.ConfigSum = configSum(s.task.Config)
	return nil
}

func (s *session) putManifest(ctx context.Context) error {
	text, err := json.Marshal(&s.manifest)
	if err != nil {
		return err
	}
	return s.conn.again(ctx, "announcing run "+s.run, func(ctx context.Context) error {
		s.announced = true
		_, err := s.kv().Put(ctx, manifestKey(s.run), text)
		return err
	})
}
