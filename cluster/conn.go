package cluster

import (
	"context"
	"errors"
	"log/slog"
	"strings"
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
	refused   error                                 // what a server last said of the credentials
	lost      error                                 // why the connection is of no more use
	users     map[int]func(error)
	next      int // key of users
	closing   bool
}

// call is one of them.
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

// dial connects. Inbox is the prefix of the subjects on which answers arrive.
func dial(ctx context.Context, address, name, inbox string, o *Options) (*conn, error) {
	urls := splitURLs(address)
	if len(urls) == 0 {
		return nil, errors.New("cluster: an empty address; want nats://host:4222")
	}
	c := &conn{log: o.Logger, calls: map[*call]bool{}, transfers: map[*context.CancelCauseFunc]struct{}{}, users: map[int]func(error){}}
	opts, err := o.secure(urls)
	if err != nil {
		return nil, err
	}
	opts = append(opts,
		nats.Name(name), nats.CustomInboxPrefix(inbox),
		nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.PingInterval(10*time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(apiTimeout),
		nats.ErrorHandler(c.async), nats.ClosedHandler(c.closed), nats.DrainTimeout(drainTime),
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
		for try := 1; try <= 3; try++ {
			if c.nc, err = nats.Connect(strings.Join(urls, ","), opts...); err == nil || !hungUp(err) {
				break // or else the reason may get here the next time
			}
		}
		if err != nil {
			err = worstOf(ctx, urls, opts, err)
		}
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
		return nil, &ServerError{Doing: "connecting to " + redact(urls), Kind: ErrUnreachable, Err: context.Cause(ctx)}
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

// worstOf finds out what is wrong, when no server of several was good: what the client library returns is of whichever was
// tried last, and the one that refuses the credentials tells more than the one that is down.
func worstOf(ctx context.Context, urls []string, opts []nats.Option, err error) error {
	if len(urls) == 1 {
		return err
	}
	for _, u := range urls {
		if ctx.Err() != nil {
			break
		}
		nc, e := nats.Connect(u, append(opts[:len(opts):len(opts)], nats.NoReconnect(), nats.ClosedHandler(nil))...)
		if e == nil {
			nc.Close()
			continue
		}
		if e = explain("connecting to "+redact([]string{u}), e); !errors.Is(e, ErrUnreachable) {
			return e
		}
	}
	return err
}

func (c *conn) close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.nc.Close()
}

// drainTime is how long what is on its way has when the connection is drained.
const drainTime = 2 * time.Second

// drain closes the connection when all is sent, and all that the server has sent was received.
func (c *conn) drain() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	if c.nc.Drain() == nil {
		for end := time.Now().Add(2 * drainTime); !c.nc.IsClosed() && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	c.nc.Close()
}

// onLost has f called when the connection is of no more use: the credentials are refused, or a permission is missing
// without which some message was dropped for which nobody waits.
func (c *conn) onLost(f func(error)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.next
	c.next++
	c.users[key] = f
	if c.lost != nil {
		go f(c.lost)
	}
	return func() {
		c.mu.Lock()
		delete(c.users, key)
		c.mu.Unlock()
	}
}

// lose tells all users, and those to come if it is for ever.
func (c *conn) lose(err error, forever bool) {
	c.mu.Lock()
	if c.lost != nil || c.closing {
		c.mu.Unlock()
		return
	}
	if forever {
		c.lost = err
	}
	var users []func(error)
	for _, f := range c.users {
		users = append(users, f)
	}
	c.mu.Unlock()
	c.log.Error("the connection to the cluster is of no use", "error", err)
	for _, f := range users {
		f(err)
	}
}

// closed is told when the client library gives up: a server has refused the credentials twice.
func (c *conn) closed(nc *nats.Conn) {
	c.mu.Lock()
	err := c.refused
	c.mu.Unlock()
	if err == nil {
		err = nc.LastError()
	}
	if err == nil {
		err = nats.ErrConnectionClosed
	}
	c.lose(explain("keeping the connection", err), true)
}

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
