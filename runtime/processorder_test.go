package jobgen

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// What ended a context is what ends the one in a worker process, as far as errors can travel.
func TestOrderTellsTheEnd(t *testing.T) {
	past := time.Now().Add(-time.Second)
	ended := func(end func(ctx context.Context) (context.Context, func())) context.Context {
		ctx, cancel := end(t.Context())
		cancel()
		return ctx
	}
	long := errors.New(strings.Repeat("x", 100_000))
	for name, test := range map[string]struct {
		ctx        context.Context
		err, cause error
		text       string
	}{
		"cancelled": {ended(func(ctx context.Context) (context.Context, func()) {
			return context.WithCancel(ctx)
		}), context.Canceled, context.Canceled, "context canceled"},
		"cancelled with a cause": {ended(func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, func() { cancel(io.ErrClosedPipe) }
		}), context.Canceled, io.ErrClosedPipe, io.ErrClosedPipe.Error()},
		"cancelled with a long story": {ended(func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, func() { cancel(long) }
		}), context.Canceled, context.Canceled, strings.Repeat("x", mostCause/8) + " …"},
		"late": {ended(func(ctx context.Context) (context.Context, func()) {
			return context.WithDeadline(ctx, past)
		}), context.DeadlineExceeded, context.DeadlineExceeded, "context deadline exceeded"},
		"late with a cause": {ended(func(ctx context.Context) (context.Context, func()) {
			return context.WithDeadlineCause(ctx, past, io.ErrNoProgress)
		}), context.DeadlineExceeded, io.ErrNoProgress, io.ErrNoProgress.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			text := newOrder(test.ctx, 7)
			if len(text) > 2*mostCause {
				t.Errorf("an order of %d bytes", len(text))
			}
			o := orders{deadline: past}
			o.begin(7)
			ctx := o.context()
			job, stop := context.WithCancel(ctx) // as a lane's
			defer stop()
			if d, ok := job.Deadline(); !ok || !d.Equal(past) || job.Err() != nil {
				t.Errorf("before the order: deadline %v, %v; %v", d, ok, job.Err())
			}
			for range 2 { // it may be told twice
				o.obey(readOrder(text))
			}
			<-job.Done()
			if job.Err() != test.err || !errors.Is(context.Cause(job), test.cause) || context.Cause(job).Error() != test.text {
				t.Errorf("it ends with %v because of %v, want %v and %v", job.Err(), context.Cause(job), test.err, test.cause)
			}
			if !errors.Is(context.Cause(job), test.err) {
				t.Errorf("a job that returns the cause %v would be one that has failed", context.Cause(job))
			}
			o.stop()
		})
	}
}

// A run without a deadline has none in its processes either, also if what ends it was somebody else's deadline.
func TestOrderWithoutDeadline(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	var o orders
	o.begin(1)
	ctx := o.context()
	if d, ok := ctx.Deadline(); ok {
		t.Errorf("the deadline is %v", d)
	}
	o.obey(readOrder(newOrder(late, 1)))
	if <-ctx.Done(); context.Cause(ctx) != context.DeadlineExceeded {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
	o.stop()
}

// A job that returns the cause of its context's end returns an error of the cause's type, whose text it has.
func TestCauseKeepsItsType(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&plainCause{"enough"})
	atJob := readOrder(newOrder(ctx, 1)).cause
	var back *RemoteError
	if err := decodeError(encodeError(nil, atJob)); !errors.As(err, &back) || back.Type != "*jobgen.plainCause" || back.Text != "enough" {
		t.Errorf("it comes back as %#v", err)
	}
}

type plainCause struct{ text string }

func (e *plainCause) Error() string { return e.text }
