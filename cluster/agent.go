package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jobgen/jobgen/sharedmem"
)

// agent is a worker of a cluster: a process that holds the connection, takes chunks of jobs, and has child processes run
// them.
type agent struct {
	conn  *conn
	name  string
	key   string // of its presence
	build string
	slots int
	cache *cache
	drain time.Duration

	unsure  bool      // a run could not be taken up for now; of follow
	checked time.Time // when the bucket of runs was last seen; of follow

	cancel   context.CancelFunc // of ctx
	ctx      context.Context    // ends when there is no more time
	pulling  context.Context    // ends when no more chunks are to be taken
	mu       sync.Mutex
	runs     map[string]*hosted
	order    []*hosted // the same, for turns
	refused  map[string]string
	changed  chan struct{} // closed when runs change
	presence chan struct{} // has one when something is to be said
	failed   error         // why it gives up
}

// serveAddress is the life of a worker. It is called by jobgen.Init for JOBGEN_WORKER=nats://….
func serveAddress(address string) error {
	o, err := optionsFromEnv()
	if err != nil {
		return err
	}
	if err := o.complete(); err != nil {
		return err
	}
	a := &agent{runs: map[string]*hosted{}, refused: map[string]string{}, changed: make(chan struct{}), presence: make(chan struct{}, 1)}
	if a.slots, err = intFromEnv(envSlots, 1, runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	if a.drain, err = durationFromEnv(envDrain, 20*time.Second); err != nil {
		return err
	}
	if a.cache, err = openCache(os.Getenv(envCache)); err != nil {
		return err
	}
	if a.build, err = buildID(); err != nil {
		return err
	}
	tied := os.Getenv(envTied) != ""
	for _, secret := range []string{envCreds, envNKey, envToken, envUser, envPassword, envKey, envTied} {
		os.Unsetenv(secret) // jobs need not see them
	}
	a.name = processName()
	var id [6]byte
	_, _ = rand.Read(id[:])
	a.key = hex.EncodeToString(id[:])

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	pulling, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	a.ctx, a.cancel, a.pulling = ctx, cancel, pulling
	if tied {
		go func() { // whoever started this process has ended
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
	}
	if a.conn, err = a.connect(ctx, address, &o); err != nil {
		return err
	}
	defer a.conn.drain() // chunks that are on their way come, and go back
	defer a.conn.onLost(a.giveUp)()
	sharedmem.OnMissing(a.missing)
	return a.work()
}

// giveUp ends the worker because of something that does not pass by itself, such as a permission that is missing. Until it is
// forgotten, its presence says why.
func (a *agent) giveUp(err error) {
	a.mu.Lock()
	if a.failed == nil {
		a.failed = err
	}
	a.mu.Unlock()
	a.cancel()
}

// failure returns why the worker gives up, or nil.
func (a *agent) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

// connect tries until there is a server: workers are often started before it.
func (a *agent) connect(ctx context.Context, address string, o *Options) (*conn, error) {
	began, told := time.Now(), false
	for {
		c, err := dial(ctx, address, "jobgen worker", workerInbox, o)
		if err == nil || !errors.Is(err, ErrUnreachable) || time.Since(began) > serverGone {
			return c, err
		}
		if !told {
			told = true
			o.Logger.Warn("no server answers yet; trying on", "error", err)
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-a.pulling.Done():
			return nil, err
		}
	}
}

// work takes chunks until it is told to end.
func (a *agent) work() error {
	var wg sync.WaitGroup
	first, err := a.firstWatch()
	if first == nil {
		return err
	}
	wg.Go(func() { a.follow(first) })
	wg.Go(a.present)
	var slots sync.WaitGroup
	for i := range a.slots {
		slots.Go(func() { a.slot(i) })
	}
	<-a.pulling.Done()
	a.sayPresence()
	late := time.AfterFunc(a.drain, a.cancel) // jobs that are not done by then are given back
	slots.Wait()
	late.Stop()
	a.endAll()
	a.cancel()
	wg.Wait()
	return a.failure()
}

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

// present says that the worker is there, again and again.
func (a *agent) present() {
	told := false
	tick := time.NewTicker(presenceEvery)
	defer tick.Stop()
	for {
		err := a.putPresence(a.ctx)
		switch {
		case err == nil:
			told = false
		case a.ctx.Err() != nil || passing(err) || isGone(err):
		case errors.Is(err, ErrPermission):
			a.giveUp(err)
		case !told:
			told = true
			a.conn.log.Warn("the worker cannot say that it is there", "error", err)
		}
		select {
		case <-a.ctx.Done():
			a.leave()
			return
		case <-tick.C:
		case <-a.presence:
		}
	}
}

// presenceSubject is where the bucket of workers has what an agent says of itself. Agents store it without looking at
// the bucket, for which they need a right less.
func (a *agent) presenceSubject() string { return "$KV." + workersBucket + "." + a.key }

func (a *agent) putPresence(ctx context.Context) error {
	text := encode(a.snapshot())
	return a.conn.do(ctx, "saying that this worker is there", func(ctx context.Context) error {
		_, err := a.conn.js.Publish(ctx, a.presenceSubject(), text)
		return err
	})
}

// leave says that the worker is not there any more; or, if it had to give up, why.
func (a *agent) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.failure() != nil {
		_ = a.putPresence(ctx)
		return
	}
	gone := nats.NewMsg(a.presenceSubject())
	gone.Header.Set("KV-Operation", "DEL")
	_, _ = a.conn.js.PublishMsg(ctx, gone)
}

func (a *agent) snapshot() presence {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := presence{
		Name: a.name, Slots: a.slots, Build: a.build, System: system,
		Refused: map[string]string{}, Serves: map[string]bool{}, Drains: a.pulling.Err() != nil,
	}
	for run, why := range a.refused {
		p.Refused[run] = why
	}
	for run := range a.runs {
		p.Serves[run] = true
	}
	if a.failed != nil {
		p.Gone, p.Drains = a.failed.Error(), false
	}
	return p
}

func (a *agent) sayPresence() {
	select {
	case a.presence <- struct{}{}:
	default:
	}
}

// refuse notes why a run cannot be served.
func (a *agent) refuse(run, why string) {
	a.refused[run] = why
	a.conn.log.Warn("this worker cannot serve a run", "run", run, "reason", why)
}

func otherBuild(m *manifest, build string) string {
	return fmt.Sprintf("another build of the program (%s, the driver's is %s): install the same binary, or allow it with Options.OtherBuilds", build, m.Build)
}
