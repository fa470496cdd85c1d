package jobgen

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
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
	graceTime  = 500 * time.Millisecond // for a job that was told to end, before its process is killed
	closeGrace = 2 * time.Second        // for Close, after the run has ended before its time
	restTime   = 10 * time.Second       // beyond a job's time limit, for a worker to begin with one
	dumpTime   = 500 * time.Millisecond // for a process to write its stacks
	partTime   = 2 * time.Second        // for a process to end, after its pipes have been closed
)

// Tests make these shorter.
var (
	helloTime = 10 * time.Second // for a child to say that it is a worker
	closeSlow = 10 * time.Second // for Close, before somebody is told that it is waited for
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
	meddled atomic.Bool   // a job has closed its descriptors or written to them
	late    atomic.Bool   // it was killed because of a time limit
	heard   atomic.Int64  // when this process began to wait for news, in nanoseconds since 1970; 0: it does not wait

	under   atomic.Uint64   // the number of the chunk that is under way, or 0
	heeding sync.Mutex      // of under and heeded, where both are looked at
	heeded  <-chan struct{} // Done of the context of the last chunk …
	unwatch func() bool     // … which ends the chunk under way, until this is called
}

// give kills the process, for a reason that is told.
func (w *workerProcess) give(why string) {
	w.killed.CompareAndSwap(nil, &why)
	w.Kill()
}

// lost waits for the end of the process and says how it was. One that goes on without a connection, which
// a job has closed, is killed.
func (w *workerProcess) lost() *WorkerLostError {
	w.unwatch()
	late := time.AfterFunc(partTime, func() {
		w.meddled.Store(true)
		w.give("it went on after its connection to this process was closed, by a job?")
	})
	defer late.Stop()
	reason, stderr := w.Wait()
	w.ended = true
	if w.fds != nil {
		w.fds.Close()
	}
	switch why := w.killed.Load(); {
	case why != nil && *why != "":
		reason += ": " + *why
	case why == nil:
		reason += w.session.guess(reason, stderr)
	}
	if stacks := w.stacks.Load(); stacks != nil {
		stderr = cmp.Or(strings.TrimSuffix(stderr, "\n"), "(nothing)") + "\n\nIts goroutines when it was killed:\n\n" + *stacks
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
	w.heard.Store(0)
	w.heed(ctx)
	defer w.under.Store(0)
	if err := w.In.Write(frameChunk, head[:], chunk.Jobs); err != nil {
		return w.gone(ctx)
	}
	w.waits()
	last := -1 // the job that was reported last
	for {
		kind, content, err := w.Out.Read()
		if err != nil {
			w.suspect(err)
			return w.died(ctx, chunk, last, done)
		}
		switch kind {
		case frameDone:
			w.rests()
			w.heard.Store(0)
			d := Done{Worker: w.name}
			for len(content) > 0 {
				content, err = w.packing.unpack(content, &d)
				if err == nil && d.Index+d.Count > chunk.First+chunk.Count {
					err = errNonsense
				}
				if err != nil {
					w.suspect(err)
					return w.died(ctx, chunk, last, done)
				}
				last = d.Index + d.Count - 1
				done(d)
			}
			w.waits()
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

// waits notes that the worker has the word, where somebody wants to know for how long.
func (w *workerProcess) waits() {
	if w.session.task.JobTimeout > 0 {
		w.heard.Store(time.Now().UnixNano())
	}
}

// suspect kills a process that is not dead, but sends what is no frame.
func (w *workerProcess) suspect(err error) {
	if errors.Is(err, proc.ErrDamaged) || errors.Is(err, errNonsense) {
		w.meddled.Store(true)
		w.give("what it sends makes no sense, has a job written to a descriptor that is not its own? " + err.Error())
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
		ForwardRecord(w.session.task.Logger, content)
	}
}

// rests notes that the worker does nothing, where it cannot do so itself.
func (w *workerProcess) rests() {
	if len(w.session.hello.Board) == 0 {
		w.board[boardPhase].Store(atRest)
	}
}

// gone says that the process has died before it had the chunk.
func (w *workerProcess) gone(ctx context.Context) (reported bool, err error) {
	lost := w.lost()
	if ctx.Err() == nil {
		w.session.task.WorkerLost(w.name, lost)
	}
	return false, lost
}

// died says what became of a chunk whose process has died: the job that it was running is blamed, if there was one.
func (w *workerProcess) died(ctx context.Context, chunk Chunk, last int, done func(Done)) (reported bool, err error) {
	lost := w.lost()
	phase, job, since := w.board[boardPhase].Load(), int(w.board[boardJob].Load()), time.Unix(0, w.board[boardSince].Load())
	if ctx.Err() == nil {
		w.session.task.WorkerLost(w.name, lost)
	}
	meddled := (w.meddled.Load() || strings.HasPrefix(lost.Reason, fmt.Sprint("exit status ", meddledStatus))) && ctx.Err() == nil
	switch {
	case meddled && chunk.Count > 1:
		return true, ErrSuspects // and it may have been a job before the one that runs now
	case meddled && last < 0:
		phase, job = inJob, chunk.First
	case phase == inConfig:
		return last >= 0, fmt.Errorf("%s: decoding the configuration: %w", w.name, lost)
	case phase == inSetup:
		return last >= 0, fmt.Errorf("%s: Setup: %w", w.name, lost)
	case last >= 0 && (phase != inJob || job <= last):
		return true, lost // between two jobs
	case phase != inJob && phase != inDecode || job <= last || job < chunk.First || job >= chunk.First+chunk.Count:
		return false, lost
	case ctx.Err() != nil:
		done(Done{Index: job, Err: ctx.Err(), Worker: w.name}) // it was begun, and is not to blame
		return true, lost
	}
	d := Done{Index: job, Err: lost, Worker: w.name}
	switch {
	case w.session.task.Untimed:
	case phase == inDecode:
		d.Start = time.Now() // the board does not say
	default:
		d.Start, d.Elapsed = since, time.Since(since)
	}
	if phase == inDecode {
		d.Err = fmt.Errorf("decoding the input: %w", lost)
	}
	if limit := w.session.task.JobTimeout; w.late.Load() {
		d.Elapsed = max(d.Elapsed, limit+graceTime)
		d.Err = &TimeoutError{Limit: limit, Elapsed: d.Elapsed, Err: d.Err}
	}
	done(d)
	return true, lost
}

// close has the process end, and returns what the worker's Close returned. That of a process which has died
// between two jobs is not missed: no job's result is lost with it, and nobody is asked to run the Close of those
// that die in a job either.
func (w *workerProcess) close() error {
	over := make(chan struct{})
	defer close(over)
	go w.watchClose(over, closeSlow)
	err := w.In.Write(frameClose)
	for err == nil {
		var kind byte
		var content []byte
		if kind, content, err = w.Out.Read(); err != nil {
			w.suspect(err)
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
	if w.board[boardPhase].Load() != inClose {
		return nil
	}
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
