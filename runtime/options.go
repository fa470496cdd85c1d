package jobgen

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Option sets how jobs are run. Options are given to a runner, for all of its runs, or to a single
// call; the call's win over the runner's, and the environment's (see the package documentation)
// over both. An option that cannot be honoured makes the run fail before its first job.
type Option func(*config)

// config is what the options of one run come to.
type config struct {
	workers  int
	debug    bool
	backend  func() (Backend, error) // nil: goroutines
	collect  bool
	timeout  time.Duration
	attempts int
	backoff  time.Duration
	progress bool
	label    string
	bar      *progressbar.ProgressBar
	logger   *slog.Logger
	seed     uint64
	seeded   bool
	window   int
	maxJobs  int
	memory   int64
	observer []Observer
	err      error // of the first option that makes no sense
}

func (c *config) reject(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// Workers sets how many jobs run at a time. 0, the default, means runtime.GOMAXPROCS(0), read at
// the start of each run; a backend with workers of its own then uses all of them.
func Workers(n int) Option {
	return func(c *config) {
		if n < 0 {
			c.reject("Workers(%d): the number of workers must not be negative; 0 means one per processor", n)
		}
		c.workers = n
	}
}

// Debug runs the jobs one after the other on the calling goroutine, in order, and lets panics pass,
// so that a debugger stops where the fault is. JobTimeout has no effect then, or every job would be
// late while one steps through it.
func Debug() Option { return func(c *config) { c.debug = true } }

// Goroutines runs the jobs on goroutines of this process: the default. Given to a call it undoes
// the runner's Debug, Processes or On.
func Goroutines() Option {
	return func(c *config) { c.debug, c.backend = false, nil }
}

// Processes runs the jobs in child processes of the same program, one for each worker, so that a job
// that crashes takes nothing else with it: it fails with a [*WorkerLostError], a new process takes its
// worker's place, and jobs that were sent with it are run again. A job that goes on half a second after
// its time limit, or after the end of the run, is killed; so is a Close, two seconds after the run was
// cancelled. A worker that has died is not closed. The processors are shared out among the
// processes (GOMAXPROCS). What jobs print comes out line by line, with worker and job. Processes that jobs
// have started end with their worker (on Linux), unless they are in a process group of their own.
//
// The run fails at its start if the program has not called [Init], if the worker cannot leave the process
// (`jobgen explain` says why), or if an unexported field of it was set.
func Processes() Option {
	return func(c *config) {
		c.debug, c.backend = false, func() (Backend, error) { return openBackend("processes") }
	}
}

// On runs the jobs on b; nil means goroutines.
func On(b Backend) Option {
	return func(c *config) {
		c.debug, c.backend = false, nil
		if b != nil {
			c.backend = func() (Backend, error) { return b, nil }
		}
	}
}

// CollectErrors runs every job, whatever fails. Without it a run stops at the first failure. The
// place of a failed job holds the zero value of its result, or NaN where that is a floating-point
// or complex number.
func CollectErrors() Option { return func(c *config) { c.collect = true } }

// JobTimeout limits each attempt of a job to d. The job's context then ends, and the job fails
// with a [*TimeoutError], whatever it returns. A goroutine cannot be stopped from outside: in this
// process a job that ignores its context holds its worker until it returns; a backend of processes
// kills it, and there decoding the job's input and the worker's Close have as long. 0 means no limit.
func JobTimeout(d time.Duration) Option {
	return func(c *config) {
		if d < 0 {
			c.reject("JobTimeout(%v): the limit must not be negative; 0 means none", d)
		}
		c.timeout = d
	}
}

// Retry runs a job that fails again, until it has been tried attempts times. Before attempt n the
// worker waits for backoff, doubled n-2 times, at most a minute, less up to half of that at random
// so that many jobs that failed together do not come back together. Jobs that were cancelled are
// not retried. The job's [Rand] starts anew in each attempt.
func Retry(attempts int, backoff time.Duration) Option {
	return func(c *config) {
		if attempts < 1 {
			c.reject("Retry(%d, %v): a job is tried at least once", attempts, backoff)
		}
		if backoff < 0 {
			c.reject("Retry(%d, %v): the wait must not be negative", attempts, backoff)
		}
		c.attempts, c.backoff = attempts, backoff
	}
}

// MaxJobsPerWorker replaces a worker's process by a new one when it has run n jobs, so that what jobs
// leave behind in it does not add up. Only a backend of processes can do that; on any other the run
// fails at its start. Debug mode ignores it. 0 means no limit.
func MaxJobsPerWorker(n int) Option {
	return func(c *config) {
		if n < 0 {
			c.reject("MaxJobsPerWorker(%d): the number must not be negative; 0 means no limit", n)
		}
		c.maxJobs = n
	}
}

// MemoryLimit limits the memory of each worker's process to bytes: its heap and stacks, not the arrays
// of package sharedmem, which it shares. A process that needs more is lost, and with it the job that it
// was running. Only a backend of processes can do that, on Linux; elsewhere the run fails at its start.
// Debug mode ignores it. 0 means no limit.
func MemoryLimit(bytes int64) Option {
	return func(c *config) {
		if bytes < 0 {
			c.reject("MemoryLimit(%d): the limit must not be negative; 0 means none", bytes)
		}
		if bytes > 0 && bytes < leastMemory {
			c.reject("MemoryLimit(%d): a process of Go's needs %d bytes at least", bytes, leastMemory)
		}
		c.memory = bytes
	}
}

// leastMemory is what a Go program takes before it does anything, and some more.
const leastMemory = 64 << 20

// Progress shows a bar with label, rate and remaining time on standard error, or plain lines now
// and then if that is no terminal. An empty label stands for the worker's name.
//
// There is one line for all bars of the program. A run inside another one, or beside it, takes the
// line over when it has lasted for two seconds, and gives it back, leaving nothing, when it is done.
func Progress(label string) Option {
	return func(c *config) { c.progress, c.label, c.bar = true, label, nil }
}

// ProgressTo counts finished jobs on bar, which the caller makes, shows and finishes; several runs
// can share it. nil means none.
func ProgressTo(bar *progressbar.ProgressBar) Option {
	return func(c *config) { c.progress, c.bar = false, bar }
}

// Logger sets where the records of a run go: its start and seed, failed attempts, lost workers, its
// end, and what jobs write with [Log]. The default discards them.
func Logger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

// Seed sets what [Rand] depends on, beside the job's index. By default each run draws one, and
// reports it in its log.
func Seed(u uint64) Option { return func(c *config) { c.seed, c.seeded = u, true } }

// Window sets how many jobs a stream may be ahead of its consumer: taken from the input and not
// yet handed on. 0, the default, means four chunks for each worker, where a chunk is one job if
// jobs are slow and many if they are fast; never more than about 4 MB of inputs and results
// themselves, not counting what they point to.
func Window(n int) Option {
	return func(c *config) {
		if n < 0 {
			c.reject("Window(%d): the window must not be negative; 0 means the default", n)
		}
		c.window = n
	}
}

// Observe has o told what happens in the run. Several observers are told one after the other.
func Observe(o Observer) Option {
	return func(c *config) { c.observer = append(c.observer[:len(c.observer):len(c.observer)], o) }
}
