package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
func (a *agent) next(turn int) (*hosted, jetstream.Msg) {
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
func (a *agent) firstOf(ctx context.Context, cancel context.CancelFunc, runs []*hosted, changed <-chan struct{}) (h *hosted, msg jetstream.Msg) {
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

// pull asks for one chunk. A wait of 0 asks for one that is there now.
func (h *hosted) pull(ctx context.Context, wait time.Duration) jetstream.Msg {
	if h.ctx.Err() != nil {
		return nil
	}
	var batch jetstream.MessageBatch
	var err error
	if wait == 0 {
		batch, err = h.consumer.FetchNoWait(1)
	} else {
		batch, err = h.consumer.Fetch(1, jetstream.FetchMaxWait(wait))
	}
	if err == nil {
		for msg := range batch.Messages() {
			return msg
		}
		err = batch.Error()
	}
	if err == nil || errors.Is(err, jetstream.ErrNoMessages) {
		return nil
	}
	// The run has ended, or the server is away: either is found out elsewhere, and there is no hurry.
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	case <-h.ctx.Done():
	}
	return nil
}
