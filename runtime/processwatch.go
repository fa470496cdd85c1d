package jobgen

import (
	"context"
	"encoding/binary"
	"time"
)

// heed begins the watch over a chunk, which ends when w.under does not have its number any more. The context is that of
// the chunks before it, unless one was cancelled.
func (w *workerProcess) heed(ctx context.Context) {
	w.under.Store(w.chunks)
	if done := ctx.Done(); done != w.heeded {
		w.unwatch()
		w.heeded, w.unwatch = done, context.AfterFunc(ctx, w.cancel)
	} else if ctx.Err() != nil { // which may have been noticed when nothing was under way
		w.cancel()
	}
}

// cancel tells the process to end the contexts of the jobs that are under way, and kills it if they go on. The number of
// the chunk keeps it from hitting the next one.
func (w *workerProcess) cancel() {
	chunk := w.under.Load()
	if chunk == 0 {
		return
	}
	_ = w.Control.Write(frameCancel, binary.LittleEndian.AppendUint64(nil, chunk))
	time.AfterFunc(graceTime, func() {
		if w.under.Load() == chunk {
			w.give("its job went on after it was told to end")
		}
	})
}

// watch kills the process when a job goes on after its time limit, with the stacks of its goroutines on
// its standard error. It ends with the process.
func (w *workerProcess) watch(limit time.Duration) {
	tick := time.NewTicker(max(limit/8, 5*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-w.Ended():
			return
		case <-tick.C:
		}
		job, since := w.board[boardJob].Load(), w.board[boardSince].Load()
		if w.board[boardPhase].Load() != inJob || time.Since(time.Unix(0, since)) < limit+graceTime {
			continue
		}
		if job != w.board[boardJob].Load() || since != w.board[boardSince].Load() {
			continue // it was on to the next one
		}
		why := "its job went on after its time limit"
		if !w.killed.CompareAndSwap(nil, &why) {
			return
		}
		_ = w.Control.Write(frameStacks)
		select {
		case <-w.shown:
		case <-w.Ended():
		case <-time.After(dumpTime): // it does not even answer
			w.Dump()
			select {
			case <-w.Ended():
			case <-time.After(dumpTime):
			}
		}
		w.Kill()
		return
	}
}
