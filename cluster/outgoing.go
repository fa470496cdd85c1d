package cluster

import (
	"context"
	"fmt"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// reported takes what became of a job. Results are sent when there are enough of them, or the driver has waited long
// enough.
func (w *chunkWork) reported(d jobgen.Done) error {
	if d.Err != nil && w.h.agent.ctx.Err() != nil {
		return nil // it was interrupted here, because this agent ends; another one runs it
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unsent != nil {
		return w.unsent
	}
	k := d.Index - w.chunk.First
	w.done[k] = true
	r := doneRecord{Index: d.Index, Worker: d.Worker, Start: d.Start, Elapsed: d.Elapsed}
	if w.chunk.Digests {
		r.Digest = digest(w.jobs[k])
	}
	b := d.Result
	if d.Err != nil {
		r.Failed = true
		b = jobgen.AppendError(nil, d.Err)
		if len(b) > w.limit { // a message as long as a book
			b = jobgen.AppendError(nil, fmt.Errorf("%.4000s … (an error of %d bytes)", d.Err, len(b)))
		}
	}
	if len(b) > w.limit {
		r.Blob = onceRef(b)
		err := w.h.persist("storing a result of "+w.chunk.String()+" of run "+w.h.manifest.Run, func() error {
			return w.h.blobs.putOnce(w.ctx, r.Blob, b)
		})
		if err != nil {
			return err
		}
	} else {
		r.Bytes = b
	}
	if w.count == 0 {
		w.encode.begin(w.out.Start)
	}
	w.buf = w.encode.append(w.buf, &r)
	w.count++
	if len(w.buf) >= w.limit || r.Blob != nil { // what was stored by itself takes room that the next one may need
		return w.flushLocked()
	}
	if w.late == nil {
		w.late = time.AfterFunc(flushEvery, w.flushLate)
	}
	return nil
}

// flushEvery is how long a result may wait for those of the jobs after it. A chunk is meant to take less.
const flushEvery = 500 * time.Millisecond

// flushLate sends results whose chunk takes long.
func (w *chunkWork) flushLate() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == 0 {
		return // they were sent meanwhile
	}
	if err := w.flushLocked(); err != nil && w.unsent == nil {
		w.unsent = err
	}
}

func (w *chunkWork) sendError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unsent
}

// announce says that a job begins of which agents may have died.
func (w *chunkWork) announce(k int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Begun = w.chunk.First + k
	err := w.flushLocked()
	w.out.Begun = -1
	return err
}

// flush sends what there is.
func (w *chunkWork) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flushLocked()
}

func (w *chunkWork) flushLocked() error {
	if w.late != nil {
		w.late.Stop()
		w.late = nil
	}
	if w.count == 0 && w.out.Begun < 0 && !w.out.Last {
		return nil
	}
	text := w.message()
	doing := "storing results of " + w.chunk.String() + " of run " + w.h.manifest.Run
	return w.h.persist(doing, func() error {
		return w.h.agent.conn.do(w.h.ctx, doing, func(ctx context.Context) error {
			_, err := w.h.agent.conn.publish(ctx, resultSubject(w.h.manifest.Run), text)
			return err
		})
	})
}

// message takes what there is.
func (w *chunkWork) message() []byte {
	w.out.Took = time.Since(w.out.Start)
	text := append(w.out.appendHead(make([]byte, 0, len(w.buf)+256), w.count), w.buf...)
	w.buf, w.count = w.buf[:0], 0
	return text
}

// leave sends what there is when the agent has no more time, and gives the chunk back.
func (w *chunkWork) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.late != nil {
		w.late.Stop()
	}
	if w.count > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
		defer cancel()
		_, _ = w.h.agent.conn.publish(ctx, resultSubject(w.h.manifest.Run), w.message())
	}
	_ = w.msg.Nak()
}

// persist tries until it is done, the run is over, or there is no hope. That there is no room is for the driver to judge.
func (h *hosted) persist(doing string, f func() error) error {
	began, pause := time.Now(), 20*time.Millisecond
	tried := began
	for {
		err := f()
		switch {
		case err == nil:
			return nil
		case h.ctx.Err() != nil, !passing(err) && !isFull(err) && !isGone(err), time.Since(tried) > serverGone:
			return err
		case isFull(err):
			tried = time.Now()
			h.say(event{Kind: eventFull, Since: time.Since(began), Err: jobgen.AppendError(nil, err)})
		}
		select {
		case <-time.After(pause):
		case <-h.ctx.Done():
			return err
		}
		pause = min(2*pause, time.Second)
	}
}
