//go:build unix

package cluster_test

import (
	"net"
	"sync"
	"testing"
	"time"
)

// proxy is a network between a driver or worker and a server, which can be made bad.
type proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	changed *sync.Cond
	held    [2]bool // by direction: nothing passes
	delay   time.Duration
	cut     [2]bool // by direction: the next bytes end in the middle, and with them the connection
	closed  bool
	conns   map[net.Conn]bool
	running sync.WaitGroup
}

const (
	toServer = 0
	toClient = 1
)

func newProxy(t *testing.T, s *natsServer) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: s.url()[len("nats://"):], conns: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	t.Cleanup(func() {
		p.set(func() { p.closed = true })
		l.Close()
		p.reset()
		p.running.Wait()
	})
	return p
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

// set changes how the network is.
func (p *proxy) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.changed.Broadcast()
}

// hold stops what goes in a direction, or lets it go on.
func (p *proxy) hold(direction int, on bool) { p.set(func() { p.held[direction] = on }) }

// reset ends all connections.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		delete(p.conns, c)
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
	p.changed.Broadcast()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		p.running.Go(func() { p.pump(client, server, toServer) })
		p.running.Go(func() { p.pump(server, client, toClient) })
	}
}

// piece is what was read, and when.
type piece struct {
	b    []byte
	read time.Time
}

// pump passes on what comes from one side, each piece as late as the network is slow.
func (p *proxy) pump(from, to net.Conn, direction int) {
	pieces := make(chan piece, 1<<14)
	p.running.Go(func() {
		defer close(pieces)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if n > 0 {
				pieces <- piece{b[:n], time.Now()}
			}
			if err != nil {
				return
			}
		}
	})
	for one := range pieces {
		if !p.pass(one, to, direction) {
			break
		}
	}
	from.Close()
	to.Close()
	for range pieces {
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
	delete(p.conns, to)
}

func (p *proxy) pass(one piece, to net.Conn, direction int) bool {
	p.mu.Lock()
	for p.held[direction] && p.conns[to] && !p.closed {
		p.changed.Wait()
	}
	delay, cut := p.delay, p.cut[direction]
	if cut {
		p.cut[direction] = false
	}
	p.mu.Unlock()
	time.Sleep(time.Until(one.read.Add(delay)))
	if cut {
		_, _ = to.Write(one.b[:(len(one.b)+1)/2])
		return false
	}
	_, err := to.Write(one.b)
	return err == nil
}
