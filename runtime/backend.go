package jobgen

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
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

	// Untimed says that nobody wants to know when a job began and how long it took, so that no clock need be read for it.
	Untimed bool

	// Together says that a Done may be of several jobs. Their results can be told apart by who knows their type.
	Together bool

	// StartLate has a backend of processes start each when it is first needed, and not before the first job.
	StartLate bool

	// Both are 0 but for a backend that is [Limiting].
	MaxJobsPerWorker int
	MemoryLimit      int64 // bytes

	WorkerStarted func(worker string)
	WorkerLost    func(worker string, err error)

	place    string        // where the worker is, in a process that is a worker
	observer Observer      // of the jobs there
	begins   func(job int) // the same as its JobStarted where times are not wanted
	note     noter         // what the worker there is about to do
}

// Limiting is a backend that keeps to [MaxJobsPerWorker] and [MemoryLimit]. A run that asks for them on any other
// ends before it begins.
type Limiting interface {
	Backend

	// LimitsWorkers marks the backend as one that does; it has nothing to do itself.
	LimitsWorkers()
}

// Session runs the jobs of one run.
type Session interface {
	// Slots returns how many chunks may be under way at a time, at least 1. It does not change, unless the session is
	// [Growing].
	Slots() int

	// Run runs the jobs of one chunk on a slot from 0 to Slots()-1, of which the caller uses each for
	// one chunk at a time. It calls done, one call at a time and never after it has returned, for each
	// job that has ended; one whose worker died while it ran has ended, with a [*WorkerLostError]. It
	// returns when no further job of the chunk will be reported. Jobs that were not reported were not
	// run, because a worker died before it came to them or ctx ended; if ctx has not, they are given to
	// Run again. An error means that the session cannot go on, and ends the run; but for [ErrSuspects].
	Run(ctx context.Context, slot int, chunk Chunk, done func(Done)) error

	// Close releases everything that the session holds. No Run is under way. It returns what the
	// workers' Close returned.
	Close() error
}

// Paced is a session whose chunks may wait for a worker, so that the time until they are back does not tell how long
// they take.
type Paced interface {
	Session

	// ChunkTime returns how long a chunk should take its worker.
	ChunkTime() time.Duration

	// Took returns how long the slot's last chunk took its worker; 0 if that is not known.
	Took(slot int) time.Duration
}

// Staffed is a session whose workers are not as many as its slots, and may come and go.
type Staffed interface {
	Session

	// Workers returns how many jobs they can run at a time; 0 if none is there yet. It is asked when the run begins, for
	// [RunInfo], and if none was there also when it is over: then for the most that there were.
	Workers() int
}

// Growing is a session that may have use for more slots while the run is under way.
type Growing interface {
	Session

	// MostSlots returns how many there can be. The run makes room for them when it begins.
	MostSlots() int

	// OnMoreSlots has more called whenever there are more slots than before, with their number, and at once if there are
	// more than Slots returned first. There are no fewer later. It is called once, and more must not be called after Close.
	OnMoreSlots(more func(slots int))
}

// Ending is a session that keeps something for the next run if this one does not come to its end.
type Ending interface {
	Session

	// Ends is called before Close; complete says that every job of the run has a result.
	Ends(complete bool)
}

// Chunk is some consecutive jobs.
type Chunk struct {
	First   int    // the index of the first job
	Count   int    // how many jobs
	Attempt int    // from 1
	Jobs    []byte // their inputs, encoded one after the other; valid until Run returns
	Ends    []int  // where each of them ends in Jobs; a [HostSeat] needs none
}

// Done is what became of a job, or of some.
type Done struct {
	Index   int
	Count   int    // more than 1: of so many consecutive jobs, whose results Result has one after the other; see Task.Together
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

	// The same for many values in one call, as many jobs take less time than the calls for each of them. They
	// are nil where the codec calls methods of the user's, which has to be watched job by job.

	// AppendIns appends inputs until b has at least most bytes, and to ends where in b each of them ends. Every input can be
	// encoded, so there is no error; at least one is, if there is one.
	AppendIns func(b []byte, in []In, ends []int, most int) ([]byte, []int)

	// ReadIns and ReadOuts fill a slice with the values at the start of b, and return how many were read, what follows them,
	// and why there are no more if they are fewer than the slice has room for. The rest of the slice is of no meaning then.
	ReadIns  func(b []byte, in []In) (n int, rest []byte, err error)
	ReadOuts func(b []byte, out []Out) (n int, rest []byte, err error)
}

// encodeConfig encodes the configuration. A panic in the user's own encoding is an error.
func (w *Wire[In, Out]) encodeConfig() (b []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("encoding the configuration: %w", &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return w.Config(nil)
}

// decodeConfig is the same on the other side.
func (w *Wire[In, Out]) decodeConfig(config []byte) (make func() Instance[In, Out], err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return w.Configured(config)
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

// otherBackends is what somebody may have meant whose address is of no backend.
const otherBackends = "a cluster's address begins with nats:// or tls://, and the program imports github.com/jobgen/jobgen/cluster"

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
		return nil, fmt.Errorf("this program has no backend called %q; it has %s; %s", name, strings.Join(known, ", "), otherBackends)
	}
	return s.Open(address)
}
