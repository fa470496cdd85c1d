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

// refuse notes why a run cannot be served.
func (a *agent) refuse(run, why string) {
	a.refused[run] = why
	a.conn.log.Warn("this worker cannot serve a run", "run", run, "reason", why)
}

func otherBuild(m *manifest, build string) string {
	return fmt.Sprintf("another build of the program (%s, the driver's is %s): install the same binary, or allow it with Options.OtherBuilds", build, m.Build)
}
