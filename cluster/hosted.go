package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// hosted is a run, as an agent sees it.
type hosted struct {
	agent    *agent
	manifest manifest
	blobs    *blobs
	control  *nats.Subscription

	ctx    context.Context // ends when the run does
	cancel context.CancelFunc

	heard atomic.Int64 // when the driver was last heard, in nanoseconds since 1970

	open    sync.Mutex
	session jobgen.Session // opened for the first chunk, and for the first one after a rest
	failed  error          // why it cannot be opened

	mu      sync.Mutex
	ended   bool
	chunks  map[uint64]context.CancelCauseFunc // that run here
	fetched []uint64                           // segments of the driver's shared memory
	working sync.WaitGroup                     // chunks
}

// met takes up a run, or what has changed of one.
func (a *agent) met(e jetstream.KeyValueEntry) {
	run := strings.TrimPrefix(e.Key(), "run.")
	if e.Operation() != jetstream.KeyValuePut {
		a.drop(run)
		return
	}
	var m manifest
	if err := json.Unmarshal(e.Value(), &m); err != nil {
		a.conn.log.Warn("a manifest cannot be read", "run", run, "error", err)
		return
	}
	a.mu.Lock()
	known := a.runs[run]
	a.mu.Unlock()
	if m.Idle {
		a.drop(run)
		return
	}
	if known != nil {
		if known.manifest.Epoch == m.Epoch {
			return
		}
		a.drop(run) // another driver has taken it up
	}
	h, why := a.host(&m)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case why != "":
		a.refuse(run, why)
	case h != nil:
		a.runs[run] = h
		a.order = append(a.order, h)
		a.announce()
	}
	a.sayPresence()
}

// announce wakes slots that wait. a.mu is held.
func (a *agent) announce() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// host makes ready for a run, or says why this agent cannot serve it.
func (a *agent) host(m *manifest) (_ *hosted, why string) {
	if m.Build != a.build && !m.OtherBuilds {
		return nil, otherBuild(m, a.build)
	}
	worker, err := jobgen.Lookup(m.Worker)
	if err != nil {
		return nil, err.Error()
	}
	if f := worker.Fingerprint(); f != m.Fingerprint {
		return nil, fmt.Sprintf("%s is encoded in another way here (%x) than by the driver (%x)", m.Worker, f, m.Fingerprint)
	}
	h := &hosted{agent: a, manifest: *m, chunks: map[uint64]context.CancelCauseFunc{}}
	h.heard.Store(time.Now().UnixNano())
	h.ctx, h.cancel = context.WithCancel(a.ctx)
	err = a.conn.do(h.ctx, "taking up run "+m.Run, func(ctx context.Context) (err error) {
		_, err = a.conn.js.Consumer(ctx, workStream(m.Run), workConsumer)
		return err
	})
	if err == nil {
		err = a.conn.do(h.ctx, "opening the bucket of run "+m.Run, func(ctx context.Context) error {
			store, err := a.conn.js.ObjectStore(ctx, blobBucket(m.Run))
			h.blobs = newBlobs(a.conn, store)
			return err
		})
	}
	if err == nil {
		h.control, err = a.conn.nc.Subscribe(controlSubject(m.Run), h.told)
	}
	if err != nil {
		h.cancel()
		if isGone(err) {
			return nil, "" // it has ended already
		}
		if passing(err) {
			a.unsure = true // follow looks again
			return nil, ""
		}
		return nil, err.Error()
	}
	return h, ""
}

// drop ends a run here.
func (a *agent) drop(run string) {
	a.mu.Lock()
	h := a.runs[run]
	delete(a.refused, run)
	a.mu.Unlock()
	if h != nil {
		a.dropHosted(h)
	}
}

// dropHosted ends a run here, unless another driver has taken it up meanwhile.
func (a *agent) dropHosted(h *hosted) {
	a.mu.Lock()
	if run := h.manifest.Run; a.runs[run] == h {
		delete(a.runs, run)
	}
	for i, o := range a.order {
		if o == h {
			a.order = append(a.order[:i:i], a.order[i+1:]...)
			break
		}
	}
	a.announce()
	a.mu.Unlock()
	go h.end(false)
}

// errNotNow is of something that may go better later, or on another machine.
type errNotNow struct{ error }

func (e errNotNow) Unwrap() error { return e.error }

func (a *agent) endAll() {
	a.mu.Lock()
	runs := a.order
	a.runs, a.order = map[string]*hosted{}, nil
	a.mu.Unlock()
	var wg sync.WaitGroup
	for _, h := range runs {
		wg.Go(func() { h.end(true) })
	}
	wg.Wait()
}

// told hears the driver.
func (h *hosted) told(msg *nats.Msg) {
	var c control
	if json.Unmarshal(msg.Data, &c) != nil || c.Epoch != h.manifest.Epoch {
		return // of a driver that was replaced
	}
	h.heard.Store(time.Now().UnixNano())
	switch {
	case c.End:
		h.say(event{Kind: eventClosing})
		h.agent.dropHosted(h)
	case c.Cancel != 0:
		h.mu.Lock()
		cancel := h.chunks[c.Cancel]
		h.mu.Unlock()
		if cancel != nil {
			h.say(event{Kind: eventRunning, Chunk: c.Cancel})
			cause := context.Canceled
			if len(c.Cause) > 0 {
				cause = jobgen.ReadError(c.Cause)
			}
			cancel(cause)
		}
	}
}

// say tells the driver something, if it listens.
func (h *hosted) say(e event) {
	e.Epoch, e.Agent = h.manifest.Epoch, h.agent.name
	_ = h.agent.conn.nc.Publish(eventSubject(h.manifest.Run), encode(e))
}

// end closes the run's workers. Its chunks end first: by themselves if the agent drains, or else now.
func (h *hosted) end(drains bool) {
	h.mu.Lock()
	if h.ended {
		h.mu.Unlock()
		return
	}
	h.ended = true
	h.mu.Unlock()
	if !drains {
		h.cancel()
	}
	h.working.Wait()
	_ = h.control.Unsubscribe()
	h.open.Lock()
	session := h.session
	h.open.Unlock()
	e := event{Kind: eventClosed}
	if session != nil {
		if err := session.Close(); err != nil {
			e.Err = jobgen.AppendError(nil, err)
		}
	}
	h.detach()
	h.say(e)
	_ = h.agent.conn.nc.FlushTimeout(apiTimeout)
	h.cancel()
	h.agent.cache.tidy()
}

// workers opens the run's session, with which its jobs run in processes. They are started when they are first needed.
func (h *hosted) workers() (jobgen.Session, error) {
	h.open.Lock()
	defer h.open.Unlock()
	if h.session != nil || h.failed != nil {
		return h.session, h.failed
	}
	m := &h.manifest
	config := m.Config
	if len(m.ConfigBlob) > 0 {
		r := reader{b: m.ConfigBlob}
		ref := r.blob()
		if err := r.end(); err != nil {
			return nil, err
		}
		var err error
		if config, err = h.agent.cache.bytes(h.ctx, h.blobs, &ref); err != nil {
			if isLost(err) {
				_, _ = h.ask(h.ctx, question{Config: true, Lost: true})
			}
			return nil, errNotNow{err}
		}
	}
	task := jobgen.Task{
		Run: m.Info, Worker: m.Worker, Fingerprint: m.Fingerprint, Config: config, Workers: h.agent.slots, StartLate: true,
		JobTimeout: m.JobTimeout, Untimed: m.Untimed, MaxJobsPerWorker: m.MaxJobs, MemoryLimit: m.Memory,
		WorkerStarted: func(worker string) { h.say(event{Kind: eventStarted, Worker: worker}) },
		WorkerLost: func(worker string, err error) {
			h.say(event{Kind: eventLost, Worker: worker, Err: jobgen.AppendError(nil, err)})
		},
	}
	task.Run.Jobs = -1 // as many as come
	if m.LogLevel != nil {
		task.Logger = slog.New(jobgen.RecordHandler(recordWriter{h}, slog.Level(*m.LogLevel)))
	}
	h.session, h.failed = jobgen.ProcessBackend(h.agent.slots).Open(h.ctx, task)
	if h.failed != nil {
		h.failed = fmt.Errorf("%s: %w", h.agent.name, h.failed)
	}
	return h.session, h.failed
}

// recordWriter sends records to the driver.
type recordWriter struct{ h *hosted }

func (w recordWriter) Write(p []byte) (int, error) {
	w.h.say(event{Kind: eventLog, Record: p})
	return len(p), nil
}
