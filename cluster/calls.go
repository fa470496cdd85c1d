package cluster

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// call is a call that waits for the server.
type call struct {
	cancel context.CancelFunc
	denied *denial // a permission that was missing meanwhile
}

// denial is a permission that was missing. It is of somebody's concern: of a call that waits for the answer to what the
// server has dropped, or else of all who use the connection.
type denial struct {
	err     error
	claimed bool
}

// denialTime is how long a call may take to notice that it was denied something.
const denialTime = time.Second

// async is told of errors that belong to no call. A missing permission is one of them: the server drops the request, and whoever made
// it would wait for the answer until its time is over.
func (c *conn) async(_ *nats.Conn, _ *nats.Subscription, err error) {
	if isAuth(err) {
		c.mu.Lock()
		if c.refused == nil || !errors.Is(err, nats.ErrAuthorization) { // after "expired" comes a plain no
			c.refused = err
		}
		c.mu.Unlock()
		return
	}
	if !errors.Is(err, nats.ErrPermissionViolation) || harmless(err) {
		return
	}
	d := &denial{err: err}
	c.mu.Lock()
	for w := range c.calls {
		w.denied = d
		w.cancel()
	}
	c.mu.Unlock()
	time.AfterFunc(denialTime, func() {
		c.mu.Lock()
		claimed := d.claimed
		c.mu.Unlock()
		if !claimed {
			c.lose(explain("talking to the server", err), false)
		}
	})
}

// harmless reports whether a denial does not matter: the client library tidies up after an object that could not be
// stored, which workers may not; the driver removes the whole bucket.
func harmless(err error) bool {
	return strings.Contains(err.Error(), `"$JS.API.STREAM.PURGE.OBJ_`+blobBucket(""))
}

// do calls f, which waits for the server, and says what was wrong.
func (c *conn) do(ctx context.Context, doing string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	return c.doLong(ctx, doing, f)
}

// doLong is do for what may take its time.
func (c *conn) doLong(ctx context.Context, doing string, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &call{cancel: cancel}
	c.mu.Lock()
	c.calls[w] = true
	c.mu.Unlock()
	err := f(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, w)
	switch {
	case err == nil:
	case w.denied != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)):
		w.denied.claimed = true
		err = w.denied.err
	case c.lost != nil && errors.Is(err, nats.ErrConnectionClosed):
		err = c.lost
	}
	return explain(doing, err)
}

// again calls f as do does, more than once if the server has no answer at first: one that has just started, or a cluster that
// elects a leader.
func (c *conn) again(ctx context.Context, doing string, f func(context.Context) error) error {
	began := time.Now()
	for {
		err := c.do(ctx, doing, f)
		if err == nil || ctx.Err() != nil || !passing(err) || c.noJetStream(err) || time.Since(began) > againTime {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// noJetStream reports whether nobody answers because the server has been started without JetStream, which it says itself.
func (c *conn) noJetStream(err error) bool {
	has, _ := c.nc.ConnectedServerJetStream()
	return !has && c.nc.IsConnected() && errors.Is(err, ErrNoJetStream)
}

// transfer calls f, which moves much. It ends when the connection is lost: what the library waits for then may never come.
func (c *conn) transfer(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.mu.Lock()
	c.transfers[&cancel] = struct{}{}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.transfers, &cancel)
	}()
	err := f(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, nats.ErrDisconnected) {
		return cause
	}
	return err
}

func (c *conn) cutTransfers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for cancel := range c.transfers {
		(*cancel)(nats.ErrDisconnected)
	}
}
