package jobgen

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// orders are what a worker process is told while it runs a chunk. They come on a pipe of their own, and may be there
// before the chunk that they are about.
type orders struct {
	ended    atomic.Bool // there is nothing more to do
	deadline time.Time   // of the run; zero: none

	mu        sync.Mutex
	chunk     uint64 // the number of the one that was begun last
	cancelled uint64 // the highest number of one that is to end …
	why       order  // … and what the order said
	end       func(order)
}

// order is an order to end a chunk.
type order struct {
	chunk uint64
	due   bool  // the deadline of the run has passed
	cause error // of the context's end
}

// context returns the context for a new seat.
func (o *orders) context() context.Context {
	o.mu.Lock()
	defer o.mu.Unlock()
	parent := context.Background()
	var due *dueContext
	if !o.deadline.IsZero() {
		due = newDueContext(o.deadline)
		parent = due
	}
	ctx, cancel := context.WithCancelCause(parent)
	o.end = func(why order) {
		if why.due && due != nil {
			due.pass(why.cause)
		} else {
			cancel(why.cause)
		}
	}
	if o.cancelled >= o.chunk {
		o.end(o.why)
	}
	return ctx
}

// begin begins a chunk, unless it is to end already.
func (o *orders) begin(chunk uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chunk = chunk
	return o.cancelled < chunk
}

// obey ends the context of a chunk's jobs. A chunk that is over by now has no context.
func (o *orders) obey(why order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if why.chunk > o.cancelled {
		o.cancelled, o.why = why.chunk, why
	}
	if o.end != nil && o.chunk == why.chunk {
		o.end(why)
	}
}

// stop ends the context of a seat that is of no more use.
func (o *orders) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.end(order{})
}

// orphaned ends this process, to which err came instead of what its parent has to say: that has hung up or is no more,
// or a job has closed or read what is not its own.
func (o *orders) orphaned(err error) {
	if o.ended.Load() {
		proc.Exit()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		proc.KillGroup()
	}
	unconnected(strayStatus, err)
}

// obey hears the parent's orders. When that is gone, so is this process, whatever it is doing.
func (s *processServer) obey() {
	for {
		kind, content, err := s.Control.Read()
		if err != nil {
			s.orders.orphaned(err)
		}
		switch {
		case kind == frameCancel && len(content) >= orderHead:
			s.orders.obey(readOrder(content))
		case kind == frameStacks:
			_ = s.Out.Write(frameStacks, jobStacks())
		}
	}
}

// jobStacks returns the stacks of the goroutines, those that run jobs first. Unlike a dump that a signal
// asks for it shows goroutines that are running, too.
func jobStacks() []byte {
	buf := make([]byte, 1<<20)
	all := bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n"))
	slices.SortStableFunc(all, func(a, b []byte) int { return cmp.Compare(stackRank(a), stackRank(b)) })
	stacks := bytes.Join(all, []byte("\n\n"))
	return stacks[:min(len(stacks), mostStacks)]
}

const mostStacks = 8 << 10

func stackRank(stack []byte) int {
	switch {
	case bytes.Contains(stack, []byte("jobgen/runtime.(*lane[")), bytes.Contains(stack, []byte("jobgen/runtime.(*hostSeat[")):
		return 0
	case bytes.Contains(stack, []byte("jobgen/runtime.(*processServer)")), bytes.Contains(stack, []byte("jobgen/runtime.(*outbox)")):
		return 2
	}
	return 1 // of the user's
}
