package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Options say how to start a child.
type Options struct {
	Env    []string // added to this process's
	Unset  []string // names that the child does not get
	Share  int      // bytes of memory for large frames, in each direction; 0: none
	Stdout func(line []byte)
	Stderr func(line []byte)
}

// Process is a child: this program, started again.
type Process struct {
	In      *Writer
	Out     *Reader
	Control *Writer  // for what the child is to notice whatever it is doing
	FDs     *os.File // a Unix socket for descriptors; nil where there are none

	cmd    *exec.Cmd
	memory []byte // shared with the child; nil if there is none
	areas  [2]*Area
	stdout *Tail
	stderr *Tail
	ours   []*os.File
	waited chan struct{}
	err    error // of Wait
}

// lastWords is how long the pipes of a process that has ended are read: its own children may hold them open.
const lastWords = 500 * time.Millisecond

// Start starts a child. It has to be waited for.
func Start(o Options) (*Process, error) {
	exe, err := executable()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(exe, os.Args[1:]...), waited: make(chan struct{})}
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Env = append(without(os.Environ(), o.Unset), o.Env...)
	p.stdout, p.stderr = NewTail(o.Stdout), NewTail(o.Stderr)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = p.stdout, p.stderr, lastWords
	theirs, err := p.connect(o.Share)
	defer closeAll(theirs)
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.letGo()
		return nil, fmt.Errorf("starting %s: %w", exe, err)
	}
	go func() {
		defer close(p.waited)
		killOrphans(p.cmd.Process)
		p.err = p.cmd.Wait()
		p.stdout.End()
		p.stderr.End()
	}()
	return p, nil
}

// connect makes what the processes are connected by, and returns the child's ends, in the order of their descriptors.
func (p *Process) connect(share int) (theirs []*os.File, err error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	theirs, p.ours = append(theirs, childIn), append(p.ours, in)
	out, childOut, err := os.Pipe()
	if err != nil {
		return theirs, err
	}
	theirs, p.ours = append(theirs, childOut), append(p.ours, out)
	childControl, control, err := os.Pipe()
	if err != nil {
		return theirs, err
	}
	theirs, p.ours = append(theirs, childControl), append(p.ours, control)
	widen(in)
	widen(out)
	if ours, their, err := socketPair(); err == nil {
		p.FDs = ours
		theirs, p.ours = append(theirs, their), append(p.ours, ours)
		theirs = p.shareMemory(share, theirs)
	}
	p.In, p.Out, p.Control = NewWriter(in), NewReader(out), NewWriter(control)
	return theirs, inherit(p.cmd, theirs)
}

// shareMemory adds memory to what the child gets, if there is any.
func (p *Process) shareMemory(size int, theirs []*os.File) []*os.File {
	if size == 0 {
		return theirs
	}
	f, mem, err := newShared(size)
	if err != nil {
		return theirs
	}
	p.memory = mem
	p.areas[0], p.areas[1] = areas(mem, func(from, n int) error { return backShared(f, from, n) })
	p.ours = append(p.ours, f)
	return append(theirs, f)
}

// Shares reports whether the child was given memory for areas.
func (p *Process) Shares() bool { return p.memory != nil }

// Share begins to use that memory. The child does so, and nothing is under way.
func (p *Process) Share() {
	p.In.Share(p.areas[0])
	p.Out.Share(p.areas[1])
}

// Pid is the child's.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the child and its own children at once.
func (p *Process) Kill() { kill(p.cmd.Process) }

// Dump asks the child to write the stacks of its goroutines to its standard error and to end.
func (p *Process) Dump() { dump(p.cmd.Process) }

// HangUp closes the child's input: it ends when it notices.
func (p *Process) HangUp() {
	p.ours[0].Close()
	p.ours[2].Close()
}

// Wait waits for the end of the child, and closes everything. It returns how it ended, and the end of
// what it wrote to its standard error.
func (p *Process) Wait() (reason, stderr string) {
	<-p.waited
	p.letGo()
	return p.reason(), p.stderr.String()
}

// Ended is closed when the child has ended.
func (p *Process) Ended() <-chan struct{} { return p.waited }

func (p *Process) reason() string {
	var exit *exec.ExitError
	switch {
	case errors.As(p.err, &exit):
		return exit.Error() // "exit status 3", "signal: killed"
	case p.err != nil && !errors.Is(p.err, exec.ErrWaitDelay):
		return p.err.Error()
	}
	return "exit status 0"
}

// letGo gives back what connect has made.
func (p *Process) letGo() {
	closeAll(p.ours)
	if p.memory == nil {
		return
	}
	// Somebody could still be about to write: what is not there any more must not be touched.
	p.In.Share(nil)
	p.Out.Share(nil)
	unmapShared(p.memory)
	p.memory = nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// without returns an environment less some names.
func without(env, names []string) []string {
	var kept []string
next:
	for _, e := range env {
		for _, n := range names {
			if strings.HasPrefix(e, n+"=") {
				continue next
			}
		}
		kept = append(kept, e)
	}
	return kept
}
