package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// conn is a connection to the servers. It comes back by itself when it is lost.
type conn struct {
	nc  *nats.Conn
	js  jetstream.JetStream
	log *slog.Logger

	connects atomic.Int64 // how often it came back

	mu        sync.Mutex
	calls     map[*call]bool                        // that wait for the server
	transfers map[*context.CancelCauseFunc]struct{} // that end when the connection does
}

// call is one of them.
type call struct {
	cancel context.CancelFunc
	denied error // a permission that was missing meanwhile
}

// dial connects. Inbox is the prefix of the subjects on which answers arrive.
func dial(ctx context.Context, address, name, inbox string, o *Options) (*conn, error) {
	urls := splitURLs(address)
	if len(urls) == 0 {
		return nil, errors.New("cluster: an empty address; want nats://host:4222")
	}
	c := &conn{log: o.Logger, calls: map[*call]bool{}, transfers: map[*context.CancelCauseFunc]struct{}{}}
	opts, err := o.secure(urls)
	if err != nil {
		return nil, err
	}
	opts = append(opts,
		nats.Name(name), nats.CustomInboxPrefix(inbox),
		nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.PingInterval(10*time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(apiTimeout),
		nats.ErrorHandler(c.async),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			c.cutTransfers()
			if err != nil {
				c.log.Warn("connection to the cluster lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			c.connects.Add(1)
			c.log.Info("connected to the cluster again", "server", nc.ConnectedUrlRedacted())
		}),
	)
	done := make(chan error, 1)
	go func() {
		var err error
		c.nc, err = nats.Connect(joinURLs(urls), opts...)
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		go func() { // it ends by itself
			if <-done == nil {
				c.nc.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, explain("connecting to "+redact(urls), err)
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(apiTimeout)); err != nil {
		c.nc.Close()
		return nil, explain("using JetStream", err)
	}
	return c, nil
}

func (c *conn) close() { c.nc.Close() }

// inline is how long an input or a result may be to be part of a message; longer ones are blobs.
func (c *conn) inline() int { return int(min(inlineBytes, c.nc.MaxPayload()/4)) }

// fault is nil but in tests. It is asked when a chunk is taken, and before and after each message that is to be stored or
// acknowledged; an error stands for a network that has lost the message, or the answer.
var fault func(point string) error

// publish has a message stored.
func (c *conn) publish(ctx context.Context, subject string, message []byte) (*jetstream.PubAck, error) {
	if fault != nil {
		if err := fault("before storing"); err != nil {
			return nil, err
		}
	}
	ack, err := c.js.Publish(ctx, subject, message)
	if fault != nil && err == nil {
		err = fault("after storing")
	}
	return ack, err
}

// async is told of errors that belong to no call. A missing permission is one of them: the server drops the request, and whoever made
// it would wait for the answer until its time is over.
func (c *conn) async(_ *nats.Conn, _ *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.calls {
		w.denied = err
		w.cancel()
	}
}

// do calls f, which waits for the server, and says what was wrong.
func (c *conn) do(ctx context.Context, doing string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	w := &call{cancel: cancel}
	c.mu.Lock()
	c.calls[w] = true
	c.mu.Unlock()
	err := f(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, w)
	if err != nil && w.denied != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)) {
		err = w.denied
	}
	return explain(doing, err)
}

func joinURLs(urls []string) string {
	s := urls[0]
	for _, u := range urls[1:] {
		s += "," + u
	}
	return s
}

// again calls f as do does, more than once if the server has no answer at first: one that has just started, or a cluster that
// elects a leader.
func (c *conn) again(ctx context.Context, doing string, f func(context.Context) error) error {
	began := time.Now()
	for {
		err := c.do(ctx, doing, f)
		if err == nil || ctx.Err() != nil || !passing(err) || time.Since(began) > againTime {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
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
