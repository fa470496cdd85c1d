package jobgen

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// ring is the store of a stream: job i lies in place i modulo the ring's size, from when it is
// taken from the input until its result is handed on. A place is written by the goroutine that
// feeds the stream, then by the worker that runs the job and marks the place, then cleared by
// the feeder.
//
// The ring is as large as the window may become, in blocks that are made when they are first used,
// so that a short stream costs little.
type ring[In, Out any] struct {
	blocks []*block[In, Out]
	shift  uint  // log2 of the places in a block
	mask   int64 // of a place in its block
	round  uint  // log2 of the places in all
}

type block[In, Out any] struct {
	in    []In
	out   []Out
	ready []atomic.Uint32

	once sync.Once
	errs []*JobError // made when the first job fails
	bad  atomic.Bool // it has been made
}

const (
	streamChunk = 256  // jobs in a chunk of a stream, at most, and places in a block …
	farChunk    = 4096 // … where chunks go elsewhere and back, which takes longer than so few quick jobs
)

func newRing[In, Out any](window, chunk int) *ring[In, Out] {
	places := min(window, chunk)
	shift := uint(bits.Len(uint(places - 1)))
	size := 1 << shift
	more := uint(bits.Len(uint((window - 1) >> shift)))
	return &ring[In, Out]{
		blocks: make([]*block[In, Out], 1<<more),
		shift:  shift, mask: int64(size - 1), round: shift + more,
	}
}

// at returns the block of a job, and its place there.
func (r *ring[In, Out]) at(job int64) (*block[In, Out], int64) {
	return r.blocks[job>>r.shift&int64(len(r.blocks)-1)], job & r.mask
}

// put lays the input of a job in its place. The block is there before a worker can know of the job.
func (r *ring[In, Out]) put(job int64, in In) {
	i := job >> r.shift & int64(len(r.blocks)-1)
	b := r.blocks[i]
	if b == nil {
		n := r.mask + 1
		b = &block[In, Out]{in: make([]In, n), out: make([]Out, n), ready: make([]atomic.Uint32, n)}
		r.blocks[i] = b
	}
	b.in[job&r.mask] = in
}

// lap is what the mark of a job's place says when the job is ready: how often the ring has gone
// round, from 1. So marks need not be taken back.
func (r *ring[In, Out]) lap(job int64) uint32 { return uint32(job>>r.round) + 1 }

// isReady reports whether the place of a job has been marked.
func (r *ring[In, Out]) isReady(job int64) bool {
	b, k := r.at(job)
	return b.ready[k].Load() == r.lap(job)
}

// isFree reports whether the place of a job has been marked for the job that had it before.
func (r *ring[In, Out]) isFree(job int64) bool {
	b, k := r.at(job)
	return b == nil || b.ready[k].Load() == r.lap(job)-1
}

// take empties the place of a job that is ready, and lets go of what it held.
func (r *ring[In, Out]) take(job int64) (out Out, err *JobError) {
	b, k := r.at(job)
	var in In
	var none Out
	out = b.out[k]
	b.in[k], b.out[k] = in, none
	if b.bad.Load() {
		err, b.errs[k] = b.errs[k], nil
	}
	return out, err
}

func (r *ring[In, Out]) places(jobs span) places[In, Out] {
	b, lo := r.at(jobs.lo)
	hi := lo + int64(jobs.len())
	return places[In, Out]{base: jobs.lo, in: b.in[lo:hi], out: b.out[lo:hi], ready: b.ready[lo:hi], lap: r.lap(jobs.lo)}
}

func (r *ring[In, Out]) failed(job int64, err *JobError) {
	b, k := r.at(job)
	b.once.Do(func() { b.errs = make([]*JobError, len(b.in)) })
	b.errs[k] = err
	b.bad.Store(true)
}

func (r *ring[In, Out]) finished(*Outcome[Out]) {}
