package jobgen

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// Host is a worker of this program as a backend's worker process sees it.
type Host interface {
	// Fingerprint is that of the worker's [Wire].
	Fingerprint() uint64

	// Open makes a place that runs jobs with the configuration in task, one after the other.
	Open(ctx context.Context, task Task) (HostSeat, error)
}

// HostSeat runs encoded jobs on one instance of a worker. Errors and panics of a job are its own;
// the instance is made anew after a panic.
type HostSeat interface {
	// Run runs a chunk and calls done for each job as it ends, one call at a time. It returns when
	// all have ended; or with an error, after which the seat is of no more use: the context of
	// Open has ended, or the worker's Setup has failed. A job whose input cannot be decoded has
	// failed; those after it, which cannot be found then, are not run and not reported.
	Run(chunk Chunk, done func(Done)) error

	// Close ends the instance, and returns what its Close returned.
	Close() error
}

var hosts sync.Map // of Host, by the worker's name

// Register makes a worker known to other processes of the same program. It is called by the init
// functions of generated code.
func Register[In, Out any](spec Spec[In, Out]) { hosts.Store(spec.Name, &host[In, Out]{spec}) }

var instances sync.Map // of functions that return a Spec, by the reflect.Type of the runner

// RegisterInstance makes an instance of a generic worker able to leave the process. Runner is the generated runner's
// type; spec is a function from the configuration to the [Spec]. It is called by the init functions of
// generated code.
func RegisterInstance[Runner, F any](spec F) { instances.Store(reflect.TypeFor[Runner](), spec) }

// FindInstance returns the function that was registered for a runner, or generic if none was. It is called by
// generated code.
func FindInstance[Runner, F any](generic F) F {
	if spec, ok := instances.Load(reflect.TypeFor[Runner]()); ok {
		return spec.(F)
	}
	return generic
}

// Lookup returns the worker that was registered under a name.
func Lookup(name string) (Host, error) {
	h, ok := hosts.Load(name)
	if !ok {
		return nil, fmt.Errorf("this program has no worker called %q", name)
	}
	return h.(Host), nil
}

type host[In, Out any] struct{ spec Spec[In, Out] }

func (h *host[In, Out]) Fingerprint() uint64 { return h.spec.Wire.Fingerprint }

func (h *host[In, Out]) Open(ctx context.Context, task Task) (HostSeat, error) {
	spec := h.spec
	var err error
	if spec.New, err = spec.Wire.decodeConfig(task.Config); err != nil {
		return nil, fmt.Errorf("%s: decoding the configuration: %w", spec.Name, err)
	}
	cfg := config{
		attempts: 1, collect: true, workers: 1, timeout: task.JobTimeout,
		seed: task.Run.Seed, seeded: true, observer: []Observer{task.observer},
	}
	s := &hostSeat[In, Out]{wire: spec.Wire, begins: task.begins}
	r := newRun(ctx, cfg, spec.name, -1)
	r.info, r.hosted, r.remember, r.place = task.Run, true, false, task.place
	r.untimed, r.note = task.Untimed, task.note
	if task.Logger != nil { // for what jobs write; the run's own records are written where the run is
		r.cfg.logger = calm(task.Logger)
	}
	s.t = newTask[In, Out](r, &spec, s, maxChunk)
	return s, nil
}

// hostSeat is a run with one lane, whose jobs come in chunks. It keeps the numbers that the jobs
// have in the run at large, so that what depends on them comes out the same.
type hostSeat[In, Out any] struct {
	t    *task[In, Out]
	wire *Wire[In, Out]

	base int64
	in   []In
	left int // jobs of the chunk that have not ended
	buf  []byte
	done func(*Done)

	undecoded error // why the job after those that are in could not be decoded

	begins func(job int) // is told of each job, where times are not wanted; may be nil
}

func (s *hostSeat[In, Out]) Run(chunk Chunk, done func(Done)) (err error) {
	loaded := false
	surely(func() {
		if !loaded {
			loaded = true
			s.load(chunk, func(d *Done) { done(*d) })
		}
		err = s.work()
	})
	return err
}

func (s *hostSeat[In, Out]) Close() (err error) {
	surely(func() { err = s.leave() })
	return err
}

// surely calls f on a goroutine of its own, and once more on another one each time that this is ended under it.
func surely(f func()) {
	for returned := false; !returned; {
		over := make(chan struct{})
		go func() {
			defer close(over)
			debug.SetPanicOnFault(true) // as for a lane with a goroutine of its own
			f()
			returned = true
		}()
		<-over
	}
}

// load makes a chunk the jobs that are to be run: those before the first that cannot be decoded.
func (s *hostSeat[In, Out]) load(chunk Chunk, done func(*Done)) {
	s.done, s.undecoded = done, nil
	defer func() { // also where the user's own decoding ends the goroutine
		s.left = len(s.in)
		s.t.first.Store(int64(chunk.Attempt))
		if s.left > 0 {
			s.t.run.replace(span{s.base, s.base + int64(s.left)})
		}
	}()
	s.decode(chunk)
}

// verdict is why a chunk has not been run to its end, nil if it has: then the job that ends it because it could not
// be decoded is reported, too.
func (s *hostSeat[In, Out]) verdict() error {
	if s.left > 0 {
		s.t.run.mu.Lock()
		defer s.t.run.mu.Unlock()
		return s.t.run.cause
	}
	if err := s.undecoded; err != nil {
		s.undecoded = nil
		d := Done{Index: int(s.base) + len(s.in), Err: fmt.Errorf("decoding the input: %w", err), Worker: s.t.run.place}
		if !s.t.run.untimed {
			d.Start = time.Now()
		}
		s.done(&d)
	}
	return nil
}

// decode decodes the inputs of a chunk, and stops at the first that cannot be. A panic in the user's own
// decoding is an error.
func (s *hostSeat[In, Out]) decode(chunk Chunk) {
	returned := false
	defer func() {
		if returned {
			return
		}
		s.undecoded = ErrGoexit
		if v := recover(); v != nil {
			s.undecoded = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	clear(s.in)
	s.base, s.in = int64(chunk.First), s.in[:0]
	note := s.t.run.note
	if s.wire.ReadIns != nil && len(chunk.Jobs) <= mostTogether {
		if note != nil {
			note(atRest, -1) // and no more decoding its configuration
		}
		s.undecoded = s.decodeTogether(chunk)
		returned = true
		return
	}
	rest := chunk.Jobs
	for i := range chunk.Count {
		if note != nil {
			note(inDecode, chunk.First+i)
		}
		in, r, err := s.wire.ReadIn(rest)
		if err == nil && i == chunk.Count-1 && len(r) > 0 {
			err = fmt.Errorf("%d bytes are left over", len(r))
		}
		if err != nil {
			s.undecoded = err
			break
		}
		s.in, rest = append(s.in, in), r
	}
	returned = true
}

// mostTogether is how many bytes of inputs may be decoded in one go. That takes a small multiple of them in memory and runs
// no code of the user's: should the process die then, no job is to blame, and none is noted as being decoded.
const mostTogether = 1 << 20

// decodeTogether decodes the inputs of a chunk in one go, as far as they can be.
func (s *hostSeat[In, Out]) decodeTogether(chunk Chunk) error {
	// Room is made at once for as many as so many bytes may well be, and for more when they have come.
	var in In
	most := 1024 + 8*len(chunk.Jobs)/max(1, int(unsafe.Sizeof(in)))
	rest := chunk.Jobs
	for have := 0; have < chunk.Count; have = len(s.in) {
		n := min(chunk.Count-have, most)
		s.in = slices.Grow(s.in, n)[:have+n]
		n, r, err := s.wire.ReadIns(rest, s.in[have:])
		s.in, rest = s.in[:have+n], r
		if err != nil {
			return err
		}
	}
	if len(rest) > 0 && len(s.in) > 0 {
		s.in = s.in[:len(s.in)-1] // as if that were the last one's
		return fmt.Errorf("%d bytes are left over", len(rest))
	}
	return nil
}

func (s *hostSeat[In, Out]) places(jobs span) places[In, Out] {
	return places[In, Out]{base: jobs.lo, in: s.in[jobs.lo-s.base : jobs.hi-s.base]}
}

func (s *hostSeat[In, Out]) failed(int64, *JobError) {}

func (s *hostSeat[In, Out]) finished(o *Outcome[Out]) {
	d := Done{Index: o.Index, Worker: o.Worker, Start: o.Start, Elapsed: o.Elapsed}
	if e, ok := o.Err.(*JobError); ok {
		d.Err = e.Err
	} else {
		d.Result, d.Err = s.encode(o.Value)
	}
	s.report(&d)
}

// encode encodes a result, for the time until the next one. A panic in the user's own encoding is the job's.
func (s *hostSeat[In, Out]) encode(out Out) (_ []byte, err error) {
	returned := false
	defer guard(&returned, &err, "encoding the result")
	b, err := s.wire.AppendOut(s.buf[:0], out)
	if returned = true; err == nil {
		s.buf = b
	}
	return b, err
}

// over reports whether the context of Open has ended.
func (s *hostSeat[In, Out]) over() bool { return s.t.run.ctx.Err() != nil }
