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

// mostCause is how many bytes an encoded cause may have; of longer ones the beginning of the text is sent. Orders must fit into a pipe
// that nobody reads.
const mostCause = 4 << 10

// newOrder encodes the order to end a chunk because ctx has ended.
func newOrder(ctx context.Context, chunk uint64) []byte {
	why := order{chunk: chunk, due: errors.Is(ctx.Err(), context.DeadlineExceeded), cause: context.Cause(ctx)}
	b := append(binary.LittleEndian.AppendUint64(nil, chunk), 0)
	if why.due {
		b[len(b)-1] = 1
	}
	if why.cause == ctx.Err() {
		return b
	}
	text := encodeError(nil, why.cause)
	if len(text) > mostCause {
		short := plainWire(why.cause).Text
		text = encodeError(nil, errors.New(short[:min(len(short), mostCause/8)]+" …")) // JSON takes up to 6 bytes for one
	}
	return append(b, text...)
}

// readOrder decodes what newOrder has made, of at least orderHead bytes.
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

// endCause is the cause of a context in a worker process. A job may return it as its error. It then is context.Canceled, or
// context.DeadlineExceeded, too, by which the run tells a job that was stopped from one that has failed.
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
