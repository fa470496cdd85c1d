package jobgen

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// jobContext is the context that a job is given. A worker reuses it for its next job unless the
// last one looked at it through Log, Rand or a nested run, so that a job that does not costs no
// allocation. A context belongs to its job: it must not be used after Do has returned.
type jobContext struct {
	run     *run
	seat    *seat
	own     atomic.Pointer[seatContext] // nil until the job asks for what only the seat's has
	index   int
	attempt int
	worker  string
	touched atomic.Bool

	mu   sync.Mutex
	rand *rand.Rand
}

type (
	jobKey      struct{}
	seatContext struct{ context.Context }
)

// context returns the context that ends with the run, or when the job has been overtaken by a
// failure. As long as the job does not ask when that is, the run's serves as well.
func (c *jobContext) context() context.Context {
	if own := c.own.Load(); own != nil {
		return own.Context
	}
	if !c.seat.cancelled.Load() {
		return c.run.ctx
	}
	return c.cancellable()
}

func (c *jobContext) cancellable() context.Context {
	own := c.own.Load()
	if own == nil {
		own = &seatContext{c.seat.context(c.run.ctx)}
		c.own.Store(own)
	}
	return own.Context
}

// Deadline is the run's.
func (c *jobContext) Deadline() (time.Time, bool) { return c.run.ctx.Deadline() }

// Done is closed when the job is to end.
func (c *jobContext) Done() <-chan struct{} { return c.cancellable().Done() }

// Err says why the job is to end, or nil if it is not.
func (c *jobContext) Err() error { return c.context().Err() }

// Value finds the job itself under jobKey.
func (c *jobContext) Value(key any) any {
	if key == (jobKey{}) {
		c.touched.Store(true)
		return c
	}
	return c.context().Value(key)
}

func jobOf(ctx context.Context) *jobContext {
	c, _ := ctx.Value(jobKey{}).(*jobContext)
	return c
}

// Log returns the logger of the job that ctx belongs to: the run's, with the attributes run, job
// (its index) and worker. A run without a [Logger] discards what is written. Outside a job, as when
// a test calls Do directly, it is slog.Default().
func Log(ctx context.Context) *slog.Logger {
	c := jobOf(ctx)
	if c == nil {
		return slog.Default()
	}
	if c.run.cfg.logger == nil {
		return discard
	}
	return c.run.cfg.logger.With("run", c.run.info.ID, "job", c.index, "worker", c.worker)
}

var discard = slog.New(slog.DiscardHandler)

// Rand returns the random numbers of the job that ctx belongs to. They depend on the run's [Seed]
// and the job's index only, so a job draws the same ones with any number of workers, on any backend
// and in each attempt. Further calls in the same job return the same generator, which only one
// goroutine may use at a time. Outside a job it returns a new generator with a random seed.
//
// The generator is PCG, seeded with two words that the finalizer of SplitMix64 (Steele, Lea and
// Flood, OOPSLA 2014) makes of seed and index.
func Rand(ctx context.Context) *rand.Rand {
	c := jobOf(ctx)
	if c == nil {
		return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rand == nil {
		a := splitmix(c.run.info.Seed)
		b := splitmix(a + uint64(c.index)*goldenGamma)
		c.rand = rand.New(rand.NewPCG(b, splitmix(a^b)))
	}
	return c.rand
}

// Attempt returns which attempt of its job ctx belongs to: 1, or more after a [Retry]. Outside a job
// it is 1.
func Attempt(ctx context.Context) int {
	if c := jobOf(ctx); c != nil {
		return c.attempt
	}
	return 1
}

const goldenGamma = 0x9e3779b97f4a7c15

func splitmix(x uint64) uint64 {
	x += goldenGamma
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
