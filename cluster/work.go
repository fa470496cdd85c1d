package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// chunkWork is a chunk that an agent runs.
type chunkWork struct {
	h       *hosted
	slot    int
	msg     *nats.Msg
	chunk   chunkMessage
	jobs    [][]byte // inputs
	done    []bool   // which are, here or before
	ctx     context.Context
	careful bool // agents have died of it: one job at a time

	mu     sync.Mutex    // of what follows, since results are also sent when the next one is late
	out    resultMessage // without its records, which are encoded as they come
	encode recordEncoder
	buf    []byte // records
	count  int    // of them
	limit  int    // how long a result may be, or some of them together, to be sent as they are
	late   *time.Timer
	unsent error // why results could not be sent when they were late
}

// dangerous is how often a chunk is delivered until its jobs are run one by one, each announced before it begins.
const dangerous = 4

// work runs a chunk, and sees to it that the server gives it to nobody else meanwhile.
func (h *hosted) work(slot int, msg *nats.Msg) {
	h.mu.Lock()
	if h.ended {
		h.mu.Unlock()
		_ = msg.Nak()
		return
	}
	h.working.Add(1)
	h.mu.Unlock()
	defer h.working.Done()
	c, err := readChunk(msg.Data)
	switch {
	case err != nil:
		h.agent.conn.log.Warn("a chunk is damaged, and dropped", "run", h.manifest.Run, "error", err)
		_ = msg.Term()
		return
	case c.Epoch < h.manifest.Epoch:
		_ = msg.Term() // of a driver that was replaced
		return
	case c.Epoch > h.manifest.Epoch:
		_ = msg.NakWithDelay(200 * time.Millisecond) // of one that this agent has not heard of yet
		return
	}
	if fault != nil && fault("taken") != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(h.ctx)
	defer cancel(nil)
	defer keepAlive(ctx, msg, h.manifest.AckWait)()
	w := &chunkWork{h: h, slot: slot, msg: msg, chunk: c, ctx: ctx, done: make([]bool, len(c.Inputs)), limit: h.agent.conn.inline()}
	w.out = resultMessage{Epoch: c.Epoch, Number: c.Number, Agent: h.agent.name, Begun: -1, Start: time.Now()}
	if meta, err := msg.Metadata(); err == nil && meta.NumDelivered > 1 {
		w.careful = meta.NumDelivered >= dangerous
		if known := w.askProgress(); !known {
			_ = msg.Term()
			return
		}
	}
	h.mu.Lock()
	h.chunks[c.Number] = cancel
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.chunks, c.Number)
		h.mu.Unlock()
	}()
	err = w.fetch()
	if err == nil {
		err = w.run()
	}
	w.finish(err)
}

// keepAlive tells the server that the chunk is being worked on.
func keepAlive(ctx context.Context, msg *nats.Msg, wait time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(wait / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = msg.InProgress()
			}
		}
	}()
	return cancel
}

// fetch gets the inputs that are blobs.
func (w *chunkWork) fetch() error {
	w.jobs = make([][]byte, len(w.chunk.Inputs))
	for i, in := range w.chunk.Inputs {
		w.jobs[i] = in.Bytes
		if in.Blob == nil || w.done[i] {
			continue
		}
		b, err := w.h.agent.cache.bytes(w.ctx, w.h.blobs, in.Blob)
		if isLost(err) {
			_, _ = w.h.ask(w.ctx, question{Chunk: w.chunk.Number, Lost: true})
		}
		if err != nil {
			return err
		}
		w.jobs[i] = b
	}
	return nil
}

// run runs the jobs that are not done. Those that a dying process has left over are run again.
func (w *chunkWork) run() error {
	session, err := w.h.workers()
	var notNow errNotNow
	if errors.As(err, &notNow) {
		return err
	}
	if err != nil {
		return fatal{err}
	}
	for w.ctx.Err() == nil {
		lo, hi := w.undone()
		if lo == hi {
			return nil
		}
		if w.careful {
			hi = lo + 1
			if err := w.announce(lo); err != nil {
				return err
			}
		}
		chunk := jobgen.Chunk{First: w.chunk.First + lo, Count: hi - lo, Attempt: w.chunk.Attempt}
		for _, b := range w.jobs[lo:hi] {
			chunk.Jobs = append(chunk.Jobs, b...)
			chunk.Ends = append(chunk.Ends, len(chunk.Jobs))
		}
		before := w.finished()
		var failed error
		err := session.Run(w.ctx, w.slot, chunk, func(d jobgen.Done) {
			if failed == nil {
				failed = w.reported(d)
			}
		})
		if failed == nil {
			failed = w.sendError()
		}
		switch {
		case failed != nil:
			return failed
		case errors.Is(err, jobgen.ErrSuspects):
			w.careful = true
		case err != nil && w.ctx.Err() == nil:
			return fatal{err}
		case w.finished() == before && w.ctx.Err() == nil:
			return fatal{fmt.Errorf("%s: the jobs %d to %d were not run", w.h.agent.name, chunk.First, chunk.First+chunk.Count-1)}
		}
		if w.careful {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// fatal is an error that ends the run, and is not the connection's.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// undone returns the first jobs in a row that are not done.
func (w *chunkWork) undone() (lo, hi int) {
	for lo < len(w.done) && w.done[lo] {
		lo++
	}
	hi = lo
	for hi < len(w.done) && !w.done[hi] {
		hi++
	}
	return lo, hi
}

func (w *chunkWork) finished() (n int) {
	for _, d := range w.done {
		if d {
			n++
		}
	}
	return n
}

// finish sends what is left, and tells the server that the chunk is done with; or that somebody else is to have it.
func (w *chunkWork) finish(err error) {
	if w.h.agent.ctx.Err() != nil && (err != nil || w.finished() < len(w.done)) { // the agent has no more time
		w.leave()
		return
	}
	var f fatal
	switch {
	case errors.As(err, &f):
		w.out.Fatal = jobgen.AppendError(nil, f.error)
	case err != nil && errors.Is(err, ErrTooLarge):
		w.buf, w.count = w.buf[:0], 0 // it will not go better elsewhere
		w.out.Fatal = jobgen.AppendError(nil, fmt.Errorf("%s: %w", w.h.agent.name, err))
	case err != nil && w.h.ctx.Err() == nil && w.ctx.Err() == nil:
		w.giveBack("a chunk is given back", err)
		return
	}
	w.mu.Lock()
	w.out.Last = true
	w.mu.Unlock()
	if err := w.flush(); err != nil {
		if w.h.ctx.Err() == nil || w.h.agent.ctx.Err() != nil {
			w.giveBack("results cannot be stored; the chunk is given back", err)
		}
		return
	}
	if fault != nil && fault("acknowledging") != nil {
		return
	}
	_ = w.msg.Ack()
}

// giveBack has the server give the chunk to somebody else, or to this agent once more.
func (w *chunkWork) giveBack(what string, err error) {
	if errors.Is(err, ErrPermission) {
		w.h.agent.giveUp(err) // it would be the same the next time
	}
	w.h.agent.conn.log.Warn(what, "run", w.h.manifest.Run, "chunk", w.chunk.Number, "error", err)
	_ = w.msg.NakWithDelay(time.Second)
}
