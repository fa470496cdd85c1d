package jobgen

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Backend is a place where jobs run, other than the goroutines of this process. It moves encoded
// jobs and says what became of each; order, limits, retries, cancellation, errors and progress are
// the runtime's, the same for all backends. Package jobtest checks what a backend has to keep to.
//
// A Backend may be used by several runs at a time.
type Backend interface {
	// Open prepares for one run. An error ends the run before its first job. ctx ends with the run.
	Open(ctx context.Context, task Task) (Session, error)

	// String names the backend in records and errors: "processes".
	String() string
}

// Task is what a backend has to know of a run.
type Task struct {
	Run         RunInfo
	Worker      string        // the name under which [Lookup] finds the worker, in any process of the program
	Fingerprint uint64        // of what travels: both sides must have the same
	Config      []byte        // the worker's configuration, encoded
	Workers     int           // how many jobs at a time; 0: as many as the backend has
	JobTimeout  time.Duration // 0: none
	Logger      *slog.Logger  // nil: none

	WorkerStarted func(worker string)
	WorkerLost    func(worker string, err error)

	maxJobs int   // of a process
	memory  int64 // of a process
	untimed bool  // nobody wants to know when a job began, and how long it took

	place    string        // where the worker is, in a process that is a worker
	observer Observer      // of the jobs there
	begins   func(job int) // the same as its JobStarted where times are not wanted
}

// limiter is a backend that keeps to MaxJobsPerWorker and MemoryLimit.
type limiter interface{ limits() }

// Session runs the jobs of one run.
type Session interface {
	// Slots returns how many chunks may be under way at a time, at least 1. It does not change.
	Slots() int

	// Run runs the jobs of one chunk on a slot from 0 to Slots()-1, of which the caller uses each for
	// one chunk at a time. It calls done, one call at a time and never after it has returned, for each
	// job that has ended; one whose worker died while it ran has ended, with a [*WorkerLostError]. It
	// returns when no further job of the chunk will be reported. Jobs that were not reported were not
	// run, because a worker died before it came to them or ctx ended; if ctx has not, they are given to
	// Run again. An error means that the session cannot go on, and ends the run.
	Run(ctx context.Context, slot int, chunk Chunk, done func(Done)) error

	// Close releases everything that the session holds. No Run is under way. It returns what the
	// workers' Close returned.
	Close() error
}

// Chunk is some consecutive jobs.
type Chunk struct {
	First   int    // the index of the first job
	Count   int    // how many jobs
	Attempt int    // from 1
	Jobs    []byte // their inputs, encoded one after the other; valid until Run returns
}

// Done is what became of one job.
type Done struct {
	Index   int
	Result  []byte // encoded; valid during the call only
	Err     error
	Worker  string // "process-2 (pid 4711)"
	Start   time.Time
	Elapsed time.Duration
}

// Wire says how a worker's configuration, inputs and results are encoded. Generated code fills it
// in. The functions append to a slice, and return what follows the value that they have read.
type Wire[In, Out any] struct {
	Fingerprint uint64

	// Config encodes the configuration. An error names a field that cannot travel and is set.
	Config func(b []byte) ([]byte, error)

	// Configured returns what makes instances with the configuration.
	Configured func(config []byte) (func() Instance[In, Out], error)

	AppendIn  func(b []byte, in In) ([]byte, error)
	ReadIn    func(b []byte) (in In, rest []byte, err error)
	AppendOut func(b []byte, out Out) ([]byte, error)
	ReadOut   func(b []byte) (out Out, rest []byte, err error)
}

// Scheme is one kind of backend.
type Scheme struct {
	// Open returns the backend that JOBGEN_BACKEND names: "processes:4", "nats://host".
	Open func(address string) (Backend, error)

	// Serve makes this process a worker of the backend, until there is no more work. It is called
	// by [Init] with the value of JOBGEN_WORKER. It is nil if the backend needs no such processes.
	Serve func(address string) error
}

var schemes struct {
	sync.Mutex
	byName map[string]Scheme
}

// RegisterBackend makes a backend known under a name: what stands before the first colon of
// JOBGEN_BACKEND and JOBGEN_WORKER. It is called by the init function of the backend's package, and
// panics if the name is taken.
func RegisterBackend(name string, s Scheme) {
	schemes.Lock()
	defer schemes.Unlock()
	if _, taken := schemes.byName[name]; taken || name == "goroutines" || name == "debug" {
		panic(fmt.Sprintf("jobgen: a backend called %q is registered already", name))
	}
	if schemes.byName == nil {
		schemes.byName = map[string]Scheme{}
	}
	schemes.byName[name] = s
}

func openBackend(address string) (Backend, error) {
	name, _, _ := strings.Cut(address, ":")
	schemes.Lock()
	s := schemes.byName[name]
	known := []string{"goroutines", "debug"}
	for n := range schemes.byName {
		known = append(known, n)
	}
	schemes.Unlock()
	if s.Open == nil {
		slices.Sort(known)
		return nil, fmt.Errorf("this program has no backend called %q; it has %s", name, strings.Join(known, ", "))
	}
	return s.Open(address)
}
