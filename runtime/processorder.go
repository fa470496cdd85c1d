package jobgen

import (
	"context"
	"encoding/binary"
	"errors"
	"time"
)

// An order to end a chunk has the chunk's number, whether a deadline has passed, and the encoded cause, if it is not
// context.Canceled or context.DeadlineExceeded.
const orderHead = 8 + 1

// mostCause is how long a cause may be. Orders must fit into a pipe that nobody reads.
const mostCause = 4 << 10

// appendOrder encodes the order to end a chunk whose context has ended.
func appendOrder(b []byte, chunk uint64, ctx context.Context) []byte {
	why := order{chunk: chunk, due: errors.Is(ctx.Err(), context.DeadlineExceeded), cause: context.Cause(ctx)}
	b = append(binary.LittleEndian.AppendUint64(b, chunk), 0)
	if why.due {
		b[len(b)-1] = 1
	}
	if why.cause == ctx.Err() {
		return b
	}
	text := encodeError(nil, why.cause)
	if len(text) > mostCause {
		short := why.cause.Error()
		text = encodeError(nil, errors.New(short[:min(len(short), mostCause/8)]+" …"))
	}
	return append(b, text...)
}

func readOrder(b []byte) order {
	why := order{chunk: binary.LittleEndian.Uint64(b), due: b[8] != 0}
	end := context.Canceled
	if why.due {
		end = context.DeadlineExceeded
	}
	if why.cause = end; len(b) > orderHead {
		why.cause = &endCause{decodeError(b[orderHead:]), end}
	}
	return why
}

// endCause is the cause of a context in a worker process. A job may return it as its error, and that is told from a failure
// by what contexts return as theirs.
type endCause struct{ cause, end error }

func (e *endCause) Error() string   { return e.cause.Error() }
func (e *endCause) Unwrap() []error { return []error{e.cause, e.end} }

// dueContext is a context with the deadline of one in another process. It ends when it is told that that one has, so that
// the two agree on what came first, a cancel or the deadline.
type dueContext struct {
	context.Context // knows the cause, where context.Cause looks for it
	deadline        time.Time
	know            context.CancelCauseFunc
	done            chan struct{}
}

func newDueContext(deadline time.Time) *dueContext {
	c := &dueContext{deadline: deadline, done: make(chan struct{})}
	c.Context, c.know = context.WithCancelCause(context.Background())
	return c
}

// pass ends the context. It must not be called by several at a time.
func (c *dueContext) pass(cause error) {
	if c.Err() == nil {
		c.know(cause)
		close(c.done)
	}
}

func (c *dueContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *dueContext) Done() <-chan struct{} { return c.done }

func (c *dueContext) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
