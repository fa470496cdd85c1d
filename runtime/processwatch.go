package jobgen

import (
	"context"
	"fmt"
	"time"
)

// heed begins the watch over a chunk, which ends when w.under does not have its number any more. The context is that of
// the chunks before it, unless one was cancelled.
func (w *workerProcess) heed(ctx context.Context) {
	done := ctx.Done()
	w.heeding.Lock()
	another := done != w.heeded
	w.heeded = done
	w.under.Store(w.chunks)
	w.heeding.Unlock()
	if another {
		w.unwatch()
		w.unwatch = context.AfterFunc(ctx, func() { w.cancel(ctx) })
	} else if ctx.Err() != nil { // which may have been noticed when nothing was under way
		w.cancel(ctx)
	}
}

// cancel tells the process to end the contexts of the jobs that are under way, because ctx has ended, and kills it if they go on.
// The number of the chunk keeps it from hitting the next one.
func (w *workerProcess) cancel(ctx context.Context) {
	w.heeding.Lock()
	chunk := w.under.Load()
	late := ctx.Done() != w.heeded // the context was that of a chunk before, and ended after it
	w.heeding.Unlock()
	if chunk == 0 || late {
		return
	}
	// Orders have a pipe of their own, which holds more of them than there can be: also a stopped process has room.
	_ = w.Control.Write(frameCancel, newOrder(ctx, chunk))
	time.AfterFunc(graceTime, func() { w.insist(chunk, closeGrace-graceTime) })
}

// insist kills the process if it is still at a chunk that was told to end. A Close has some time more.
func (w *workerProcess) insist(chunk uint64, more time.Duration) {
	switch {
	case w.under.Load() != chunk:
	case more > 0 && w.board[boardPhase].Load() == inClose:
		time.AfterFunc(more, func() { w.insist(chunk, 0) })
	default:
		w.give("its " + w.doing() + " went on after it was told to end")
	}
}

// doing names what the worker does.
func (w *workerProcess) doing() string {
	switch w.board[boardPhase].Load() {
	case inConfig:
		return "decoding of the configuration"
	case inSetup:
		return "Setup"
	case inDecode:
		return "decoding of a job"
	case inClose:
		return "Close"
	}
	return "job"
}

// watch kills the process when a job goes on after its time limit. It ends with the process.
func (w *workerProcess) watch(limit time.Duration) {
	tick := time.NewTicker(max(limit/8, 5*time.Millisecond))
	defer tick.Stop()
	var seen int64      // the job that was being decoded at the last tick …
	var first time.Time // … and when that was noticed
	for {
		select {
		case <-w.Ended():
			return
		case <-tick.C:
		}
		chunk := w.under.Load()
		heard := w.heard.Load()
		phase, job, since := w.board[boardPhase].Load(), w.board[boardJob].Load(), w.board[boardSince].Load()
		if phase != inDecode || chunk == 0 {
			first = time.Time{}
		}
		if chunk == 0 || heard == 0 && phase != inDecode {
			continue // there is nothing to do, or the worker may be waiting for this process
		}
		var why string
		switch phase {
		case inJob:
			if time.Since(time.Unix(0, max(since, heard))) < limit+graceTime {
				continue
			}
			if job != w.board[boardJob].Load() || since != w.board[boardSince].Load() {
				continue // it was on to the next one
			}
			why = "its job went on after its time limit"
		case inDecode:
			if first.IsZero() || job != seen {
				seen, first = job, time.Now()
			}
			if time.Since(first) < limit+graceTime {
				continue
			}
			why = "decoding its job took longer than the time limit"
		case atRest:
			if time.Since(time.Unix(0, heard)) < limit+restTime {
				continue
			}
			why = "it did not go on"
		default: // Setup may take its time
			continue
		}
		if w.under.Load() != chunk {
			continue
		}
		w.late.Store(true)
		w.show(why)
		return
	}
}

// show kills the process, after it has shown the stacks of its goroutines.
func (w *workerProcess) show(why string) {
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
}

// watchClose sees to it that a Close which does not end holds nobody up for ever: it has as long as a job, and
// a moment when the run has ended before its time. Without a limit it is waited for, and somebody is told after some time.
func (w *workerProcess) watchClose(over <-chan struct{}, tell time.Duration) {
	name := "Close of " + shortName(w.session.task.Worker)
	var late <-chan time.Time
	limit := w.session.task.JobTimeout
	why := fmt.Sprintf("%s went on after the time limit of %v", name, limit)
	if limit > 0 {
		late = time.After(limit + graceTime)
	}
	slow, ended := time.After(tell), w.session.ctx.Done()
	for {
		select {
		case <-over:
			return
		case <-ended:
			ended, late = nil, time.After(closeGrace)
			why = name + " went on after the run had ended"
		case <-slow:
			if l := w.session.task.Logger; l != nil {
				l.Warn("waiting for "+name, "worker", w.name, "since", tell)
			}
		case <-late:
			w.show(why)
			return
		}
	}
}
