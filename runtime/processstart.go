package jobgen

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// hello is what a worker process is told first. It is JSON: it is sent once.
type hello struct {
	ABI         int
	Worker      string
	Fingerprint uint64
	Config      []byte
	Run         RunInfo
	JobTimeout  time.Duration
	Deadline    time.Time `json:",omitzero"` // of the run's context
	Memory      int64
	LogLevel    *int   // the lowest level that the parent's logger wants; nil: none
	Name        string // of the worker
	Board       []byte // a handle; empty where no memory is shared
	Row         int
	Shared      bool // there is memory for frames
	Untimed     bool // nobody wants to know the times of jobs
	Together    bool // what became of jobs may be told of several at a time
}

// start starts a process and waits until it is ready.
func (s *processSession) start(ctx context.Context, slot int) (*workerProcess, error) {
	w := &workerProcess{session: s, row: slot, shown: make(chan struct{}), unwatch: func() bool { return true }}
	for i := range w.board {
		w.board[i] = boardWord(s.board, slot, i)
	}
	w.board[boardPhase].Store(atRest)
	var err error
	name := fmt.Sprintf("process-%d", slot+1)
	w.name = name
	w.Process, err = proc.Start(proc.Options{
		Env:    append(s.env[:len(s.env):len(s.env)], envWorker+"="+processesName),
		Unset:  notForChildren,
		Share:  s.shared,
		Stdout: func(line []byte) { w.forward(os.Stdout, line) },
		Stderr: func(line []byte) { w.forward(os.Stderr, line) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	w.name = fmt.Sprintf("%s (pid %d)", name, w.Pid())
	if w.FDs != nil {
		if err := w.serveFiles(); err != nil {
			w.give("it cannot be given descriptors")
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	if err := w.greet(ctx); err != nil {
		return nil, err
	}
	if limit := s.task.JobTimeout; limit > 0 {
		go w.watch(limit)
	}
	return w, nil
}

// greet tells the process what it is to be.
func (w *workerProcess) greet(ctx context.Context) error {
	h := w.session.hello
	h.Name, h.Row, h.Shared = w.name, w.row, w.Shares()
	text, err := json.Marshal(h)
	if err != nil {
		w.give("")
		return err
	}
	late := time.AfterFunc(helloTime, func() {
		w.give(fmt.Sprintf("it did not answer within %v: does main call jobgen.Init() first, before anything that takes time?", helloTime))
	})
	defer late.Stop()
	defer context.AfterFunc(ctx, func() { w.give("the run has ended") })()
	err = w.In.Write(frameHello, text)
	var kind byte
	var content []byte
	if err == nil {
		kind, content, err = w.Out.Read()
	}
	switch {
	case err != nil:
		w.suspect(err)
		lost := w.lost()
		return fmt.Errorf("%s could not be started: %w", w.name, lost)
	case kind == frameRefuse:
		text := string(content)
		w.give("")
		w.lost()
		return fmt.Errorf("%s: %s", w.name, text)
	case kind != frameReady:
		w.give("")
		w.lost()
		return fmt.Errorf("%s says %q before it is ready: is it this program?", w.name, kind)
	}
	if len(content) > 0 && h.Shared {
		w.Share()
	}
	return nil
}
