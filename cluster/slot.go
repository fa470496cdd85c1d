package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// slot takes one chunk after the other, from each run in turn.
func (a *agent) slot(i int) {
	for turn := i; a.pulling.Err() == nil; turn++ {
		h, msg := a.next(turn)
		if msg != nil {
			h.work(i, msg)
		}
	}
}

// pullWait is how long the server holds a request for a chunk.
const pullWait = 5 * time.Second

// next waits for a chunk, for a while.
func (a *agent) next(turn int) (*hosted, *nats.Msg) {
	a.mu.Lock()
	runs, changed := a.order, a.changed
	a.mu.Unlock()
	if len(runs) > 1 {
		for k := range runs {
			h := runs[(turn+k)%len(runs)]
			if msg := h.pull(a.pulling, 0); msg != nil {
				return h, msg
			}
		}
	}
	ctx, cancel := context.WithTimeout(a.pulling, pullWait+time.Second)
	defer cancel()
	if len(runs) == 0 {
		select {
		case <-changed:
		case <-ctx.Done():
		}
		return nil, nil
	}
	return a.firstOf(ctx, cancel, runs, changed)
}

// firstOf waits for a chunk of any run. The first one is taken; others that come in the same moment go back.
func (a *agent) firstOf(ctx context.Context, cancel context.CancelFunc, runs []*hosted, changed <-chan struct{}) (h *hosted, msg *nats.Msg) {
	var mu sync.Mutex
	taken := false
	var wg sync.WaitGroup
	done := make(chan struct{})
	for _, r := range runs {
		wg.Go(func() {
			m := r.pull(ctx, pullWait)
			if m == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if taken {
				_ = m.Nak()
				return
			}
			taken, h, msg = true, r, m
			cancel()
		})
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	case <-changed:
	}
	mu.Lock()
	defer mu.Unlock()
	taken = true // those that come later go back
	return h, msg
}

// pull asks for one chunk. A wait of 0 asks for one that is there now. When ctx ends the request is taken back: the server would
// go on to send chunks to those who do not wait any more, one after the other, until each has given it back.
func (h *hosted) pull(ctx context.Context, wait time.Duration) *nats.Msg {
	if h.ctx.Err() != nil || ctx.Err() != nil {
		return nil
	}
	nc := h.agent.conn.nc
	var mu sync.Mutex
	over := false
	got := make(chan *nats.Msg, 1)
	inbox := nc.NewInbox()
	sub, err := nc.Subscribe(inbox, func(msg *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			over = true
			got <- msg
		} else if msg.Reply != "" {
			_ = msg.Nak()
		}
	})
	if err != nil {
		h.pause(ctx)
		return nil
	}
	defer func() { _ = sub.Drain() }()
	request := fmt.Sprintf(`{"batch":1,"expires":%d}`, wait)
	if wait == 0 {
		request = `{"batch":1,"no_wait":true}`
	}
	subject := fmt.Sprintf("$JS.API.CONSUMER.MSG.NEXT.%s.%s", workStream(h.manifest.Run), workConsumer)
	if err := nc.PublishRequest(subject, inbox, []byte(request)); err != nil {
		h.pause(ctx)
		return nil
	}
	late := time.NewTimer(wait + time.Second)
	defer late.Stop()
	select {
	case msg := <-got:
		return h.taken(ctx, msg)
	case <-ctx.Done():
	case <-h.ctx.Done():
	case <-late.C:
	}
	mu.Lock()
	defer mu.Unlock()
	over = true
	select {
	case msg := <-got: // in the same moment
		return h.taken(ctx, msg)
	default:
		return nil
	}
}

// taken returns a chunk, or nil if the server says that there is none.
func (h *hosted) taken(ctx context.Context, msg *nats.Msg) *nats.Msg {
	switch status := msg.Header.Get("Status"); status {
	case "":
		return msg
	case "404", "408": // none now, none in time
	default: // the run has ended, or the server is away: either is found out elsewhere, and there is no hurry
		h.pause(ctx)
	}
	return nil
}

func (h *hosted) pause(ctx context.Context) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	case <-h.ctx.Done():
	}
}
