package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// dial connects. Inbox is the prefix of the subjects on which answers arrive.
func dial(ctx context.Context, address, name, inbox string, o *Options) (*conn, error) {
	urls := splitURLs(address)
	if len(urls) == 0 {
		return nil, errors.New("cluster: an empty address; want nats://host:4222")
	}
	for _, u := range urls {
		if scheme, _, ok := strings.Cut(u, "://"); ok && !slices.Contains([]string{"nats", "tls", "ws", "wss"}, scheme) {
			return nil, fmt.Errorf("cluster: the address begins with %s://; want nats://host:4222 or tls://host:4222", scheme)
		}
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
