package jobgen

import (
	"sync/atomic"
	"unsafe"
)

// ring is the store of a stream: job i lies in place i modulo the ring's size, from when it is
// taken from the input until its result is handed on. A place is written by the goroutine that
// feeds the stream, then by the worker that runs the job, then cleared by the feeder.
type ring[In, Out any] struct {
	in    []In
	out   []Out
	errs  []*JobError
	ready []atomic.Uint32
	mask  int64
}

const (
	streamChunk = 256     // jobs in a chunk of a stream, at most
	ringBytes   = 4 << 20 // of inputs and results themselves, unless Window asks for more
	chunksAhead = 4       // chunks for each worker that a stream may be ahead of its consumer
)

func newRing[In, Out any](window int) *ring[In, Out] {
	size := 1
	for size < window {
		size *= 2
	}
	return &ring[In, Out]{
		in: make([]In, size), out: make([]Out, size),
		errs: make([]*JobError, size), ready: make([]atomic.Uint32, size),
		mask: int64(size - 1),
	}
}

func (r *ring[In, Out]) places(jobs span) places[In, Out] {
	lo := jobs.lo & r.mask
	hi := lo + int64(jobs.len())
	return places[In, Out]{base: jobs.lo, in: r.in[lo:hi], out: r.out[lo:hi], ready: r.ready[lo:hi]}
}

func (r *ring[In, Out]) failed(job int64, err *JobError) { r.errs[job&r.mask] = err }
func (r *ring[In, Out]) finished(*Outcome[Out])          {}

// streamWindow returns how many jobs a stream of workers may be ahead: at first, and when chunks have
// grown. A window that the user chose does not grow.
func streamWindow[In, Out any](cfg *config, workers int) (first, most int) {
	if cfg.window > 0 {
		return cfg.window, cfg.window
	}
	var in In
	var out Out
	place := int(unsafe.Sizeof(in) + unsafe.Sizeof(out) + 16)
	first = chunksAhead * workers
	return first, max(first, min(first*streamChunk, ringBytes/place))
}

func (r *ring[In, Out]) size() int64 { return r.mask + 1 }

// clear makes place k ready for another job, and lets go of what the last one held.
func (r *ring[In, Out]) clear(k int64) {
	var in In
	var out Out
	r.in[k], r.out[k], r.errs[k] = in, out, nil
	r.ready[k].Store(placeBusy)
}
