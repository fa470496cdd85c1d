package jobgen

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
	"github.com/jobgen/jobgen/sharedmem"
)

// Kinds of frames between a parent and its worker process.
const (
	frameHello  = 'H' // to the worker: what it is to be
	frameReady  = 'R' // … it is; with a byte if it shares memory for frames
	frameRefuse = 'X' // … it cannot be: why
	frameChunk  = 'C' // to the worker: jobs
	frameCancel = 'Q' // to the worker, as an order: end the context of a chunk's jobs
	frameClose  = 'Z' // to the worker: no more jobs
	frameSetUp  = 'S' // an instance is ready
	frameState  = 'J' // what the worker is about to do, where there is no board
	frameDone   = 'D' // jobs have ended
	frameEnd    = 'E' // a chunk, or Close, has ended
	frameLog    = 'L' // a record
	frameStacks = 'T' // to the worker, as an order: show the stacks; and these
)

// chunkHead is what stands before the jobs of a chunk: the first one's index, how many there are, which
// attempt it is, and the chunk's number.
const chunkHead = 8 + 4 + 4 + 8

const (
	helloTime = 5 * time.Second        // for a child to say that it is a worker
	graceTime = 500 * time.Millisecond // for a job that was told to end, before its process is killed
	dumpTime  = 500 * time.Millisecond // for a process to write its stacks
)

// workerProcess is a worker in a process of its own, as its parent sees it.
type workerProcess struct {
	*proc.Process
	session *processSession
	row     int
	name    string
	fds     *net.UnixConn
	board   [boardWidth]*atomic.Int64
	killed  atomic.Pointer[string]
	ended   bool
	jobs    int    // that it was given …
	chunks  uint64 // … and chunks of them
	packing packing
	stacks  atomic.Pointer[string]
	shown   chan struct{} // stacks are there

	under   atomic.Uint64   // the number of the chunk that is under way, or 0
	heeded  <-chan struct{} // Done of the context of the last chunk …
	unwatch func() bool     // … which ends the chunk under way, until this is called
}

// give kills the process, for a reason that is told.
func (w *workerProcess) give(why string) {
	w.killed.CompareAndSwap(nil, &why)
	w.Kill()
}

// lost waits for the end of the process and says how it was.
func (w *workerProcess) lost() *WorkerLostError {
	w.unwatch()
	reason, stderr := w.Wait()
	w.ended = true
	if w.fds != nil {
		w.fds.Close()
	}
	switch why := w.killed.Load(); {
	case why != nil && *why != "":
		reason += ": " + *why
	case reason == "signal: killed" && why == nil:
		reason += ", not by jobgen; did it run out of memory?"
	}
	if stacks := w.stacks.Load(); stacks != nil {
		stderr = strings.TrimSuffix(stderr, "\n") + "\n\nIts goroutines when it was killed:\n\n" + *stacks
	}
	return &WorkerLostError{Reason: reason, Stderr: stderr}
}

// run runs a chunk. The error is a *WorkerLostError if the process has died; reported says that some
// jobs were reported before, or that one was blamed for it.
func (w *workerProcess) run(ctx context.Context, chunk Chunk, done func(Done)) (reported bool, err error) {
	w.chunks++
	var head [chunkHead]byte
	binary.LittleEndian.PutUint64(head[:], uint64(chunk.First))
	binary.LittleEndian.PutUint32(head[8:], uint32(chunk.Count))
	binary.LittleEndian.PutUint32(head[12:], uint32(chunk.Attempt))
	binary.LittleEndian.PutUint64(head[16:], w.chunks)
	w.jobs += chunk.Count
	w.packing.begin(chunk.First)
	w.heed(ctx)
	defer w.under.Store(0)
	if err := w.In.Write(frameChunk, head[:], chunk.Jobs); err != nil {
		return w.died(ctx, chunk, -1, done)
	}
	last := -1 // the job that was reported last
	for {
		kind, content, err := w.Out.Read()
		if err != nil {
			return w.died(ctx, chunk, last, done)
		}
		switch kind {
		case frameDone:
			w.rests()
			d := Done{Worker: w.name}
			for len(content) > 0 {
				if content, err = w.packing.unpack(content, &d); err != nil {
					w.give("it sends nonsense")
					w.lost()
					return false, err
				}
				last = d.Index
				done(d)
			}
		case frameEnd:
			w.rests()
			if len(content) == 0 {
				return false, nil
			}
			return false, decodeError(content)
		default:
			w.other(kind, content)
		}
	}
}

// other takes what a worker says at any time.
func (w *workerProcess) other(kind byte, content []byte) {
	switch kind {
	case frameSetUp:
		w.rests()
		w.session.task.WorkerStarted(w.name)
	case frameState:
		if len(content) == 9 {
			w.board[boardJob].Store(int64(binary.LittleEndian.Uint64(content[1:])))
			w.board[boardSince].Store(time.Now().UnixNano())
			w.board[boardPhase].Store(int64(content[0]))
		}
	case frameStacks:
		if text := string(content); w.stacks.CompareAndSwap(nil, &text) {
			close(w.shown)
		}
	case frameLog:
		forwardRecord(w.session.task.Logger, content)
	}
}

// rests notes that the worker does nothing, where it cannot do so itself.
func (w *workerProcess) rests() {
	if len(w.session.hello.Board) == 0 {
		w.board[boardPhase].Store(atRest)
	}
}

// died says what became of a chunk whose process has died: the job that it was running is blamed, if there was one.
func (w *workerProcess) died(ctx context.Context, chunk Chunk, last int, done func(Done)) (reported bool, err error) {
	lost := w.lost()
	phase, job, since := w.board[boardPhase].Load(), int(w.board[boardJob].Load()), time.Unix(0, w.board[boardSince].Load())
	if ctx.Err() == nil {
		w.session.task.WorkerLost(w.name, lost)
	}
	switch {
	case phase == inSetup:
		return false, fmt.Errorf("%s: Setup: %w", w.name, errors.Join(lost))
	case last >= 0 && (phase != inJob || job <= last):
		return true, lost // between two jobs
	case phase != inJob || job <= last || job < chunk.First || job >= chunk.First+chunk.Count || ctx.Err() != nil:
		return false, lost
	}
	d := Done{Index: job, Err: lost, Worker: w.name}
	if !w.session.task.untimed {
		d.Start, d.Elapsed = since, time.Since(since)
	}
	if limit := w.session.task.JobTimeout; limit > 0 && d.Elapsed >= limit && w.killed.Load() != nil {
		d.Err = &TimeoutError{Limit: limit, Elapsed: d.Elapsed, Err: lost}
	}
	done(d)
	return true, lost
}

// close has the process end, and returns what the worker's Close returned.
func (w *workerProcess) close() error {
	err := w.In.Write(frameClose)
	for err == nil {
		var kind byte
		var content []byte
		if kind, content, err = w.Out.Read(); err != nil {
			break
		}
		if kind != frameEnd {
			w.other(kind, content)
			continue
		}
		if len(content) > 0 {
			err = decodeError(content)
		}
		w.HangUp()
		w.lost()
		return err
	}
	lost := w.lost()
	w.session.task.WorkerLost(w.name, lost)
	return fmt.Errorf("%s: Close: %w", w.name, lost)
}

// serveFiles gives the process the segments that it asks for: 8 bytes, their id.
func (w *workerProcess) serveFiles() error {
	c, err := net.FileConn(w.FDs)
	if err != nil {
		return err
	}
	w.fds = c.(*net.UnixConn)
	go func() {
		var id [8]byte
		for {
			if _, err := io.ReadFull(w.fds, id[:]); err != nil {
				return
			}
			info, f, err := sharedmem.Export(binary.LittleEndian.Uint64(id[:]))
			if err := proc.SendFile(w.fds, info, f, err); err != nil {
				return
			}
		}
	}()
	return nil
}

// forward passes a line on that the process has written.
func (w *workerProcess) forward(to io.Writer, line []byte) {
	job := ""
	if w.board[boardPhase].Load() == inJob {
		job = fmt.Sprintf(" job %d", w.board[boardJob].Load())
	}
	fmt.Fprintf(to, "[process-%d%s] %s\n", w.row+1, job, line)
}
