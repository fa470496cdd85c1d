package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// WorkerEnv returns what the environment of a worker of this cluster has: JOBGEN_WORKER, and for an embedded server the
// token. Other credentials are not part of it: a worker has its own, see docs/cluster.md. It is for programs that start
// workers themselves.
func (c *Cluster) WorkerEnv() []string {
	env := []string{"JOBGEN_WORKER=" + c.address}
	if c.token != "" {
		env = append(env, envToken+"="+c.token)
	}
	return env
}

// StartWorker starts one more worker of an embedded server on this machine, for slots jobs at a time. It does not wait
// for it.
func (c *Cluster) StartWorker(slots int) error {
	if c.local == nil {
		return errors.New("cluster: only an embedded server's workers are started here; those of another one are this program with JOBGEN_WORKER=" + c.address)
	}
	if c.conn.nc.IsClosed() {
		return errors.New("cluster: StartWorker after Close")
	}
	return c.local.startWorker(c.WorkerEnv(), max(slots, 1))
}

// Workers returns the process ids of the workers that [Embedded] has started and that live.
func (c *Cluster) Workers() []int {
	var pids []int
	if c.local != nil {
		for _, w := range c.local.all() {
			select {
			case <-w.ended:
			default:
				pids = append(pids, w.cmd.Process.Pid)
			}
		}
	}
	return pids
}

// localWorker is a worker on this machine that ends with this process.
type localWorker struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}
	tail  *tail
	err   error
}

// notForWorkers are the settings with which a person moves the runs of this program.
var notForWorkers = []string{"JOBGEN_BACKEND", "JOBGEN_DEBUG", "JOBGEN_WORKERS", "JOBGEN_PROGRESS", "JOBGEN_SEED", envRun}

func (e *embedded) startWorker(env []string, slots int) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	w := &localWorker{cmd: exec.Command(path), ended: make(chan struct{}), tail: &tail{to: os.Stderr}}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		keep := true
		for _, n := range notForWorkers {
			keep = keep && n != name
		}
		if keep {
			w.cmd.Env = append(w.cmd.Env, v)
		}
	}
	w.cmd.Env = append(append(w.cmd.Env, env...), envSlots+"="+strconv.Itoa(slots), envTied+"=1")
	w.cmd.Stdout, w.cmd.Stderr = os.Stdout, w.tail
	stdin, err := w.cmd.StdinPipe()
	if err != nil {
		return err
	}
	w.stdin = stdin
	if err := w.cmd.Start(); err != nil {
		return fmt.Errorf("cluster: starting a worker: %w", err)
	}
	go func() {
		w.err = w.cmd.Wait()
		close(w.ended)
	}()
	e.mu.Lock()
	e.workers = append(e.workers, w)
	e.mu.Unlock()
	return nil
}

func (e *embedded) all() []*localWorker {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.workers)
}

// reason says why a worker has ended that should not have.
func (w *localWorker) reason() error {
	text := "cluster: a worker has ended before it was ready"
	if w.err != nil {
		text += ": " + w.err.Error()
	} else {
		text += "; does main call jobgen.Init() first?"
	}
	if end := w.tail.String(); end != "" {
		text += "; the end of its standard error:\n" + end
	}
	return errors.New(text)
}

func (w *localWorker) askToEnd() { _ = w.cmd.Process.Signal(terminate) }

func (w *localWorker) wait(patience time.Duration) {
	select {
	case <-w.ended:
	case <-time.After(patience):
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
	w.stdin.Close()
}

// tail passes on what is written, and keeps the end of it.
type tail struct {
	to  io.Writer
	mu  sync.Mutex
	end []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if n := len(t.end) - tailBytes; n > 0 {
		t.end = append(t.end[:0], t.end[n:]...)
	}
	return t.to.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.end))
}
