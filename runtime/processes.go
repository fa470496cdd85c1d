package jobgen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jobgen/jobgen/runtime/internal/proc"
	"github.com/jobgen/jobgen/sharedmem"
)

// processesName is the scheme of the backend of child processes.
const processesName = "processes"

func init() {
	RegisterBackend(processesName, Scheme{Open: openProcesses, Serve: serveProcess})
}

// openProcesses makes the backend that "processes" or "processes:4" names.
func openProcesses(address string) (Backend, error) {
	_, arg, given := strings.Cut(address, ":")
	if !given {
		return processes{}, nil
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < 1 {
		return nil, errors.New("want processes or processes:N with N of at least 1")
	}
	return processes{workers: n}, nil
}

// ProcessBackend returns the backend of child processes as such, for backends that are made of it; [Processes] is the
// option. It has as many workers as the run asks for if workers is 0.
func ProcessBackend(workers int) Backend { return processes{workers: max(workers, 0)} }

// processes runs jobs in child processes of this program, one for each worker.
type processes struct{ workers int }

func (p processes) String() string { return processesName }

// LimitsWorkers says that a process can be limited.
func (p processes) LimitsWorkers() {}

// inited says that Init was called, so that a child of this program can be a worker.
var inited atomic.Bool

func (p processes) Open(ctx context.Context, task Task) (Session, error) {
	if !inited.Load() {
		return nil, errors.New("the program has not called jobgen.Init(), so its children would not know that they are workers; " +
			"call it first in main, and for tests in TestMain")
	}
	if task.MemoryLimit > 0 && !proc.CanLimitMemory {
		return nil, errors.New("MemoryLimit is not to be had on this system")
	}
	n := cmpOr(p.workers, task.Workers, runtime.GOMAXPROCS(0))
	if task.Run.Jobs >= 0 {
		n = max(1, min(n, task.Run.Jobs))
	}
	s := &processSession{ctx: ctx, task: task, slots: make([]processSlot, n), kills: proc.MemoryKills(), shared: sharedFor(n)}
	s.hello = hello{
		ABI: ABI1, Worker: task.Worker, Fingerprint: task.Fingerprint, Config: task.Config,
		Run: task.Run, JobTimeout: task.JobTimeout, LogLevel: LowestLevel(task.Logger), Memory: task.MemoryLimit,
		Untimed: task.Untimed, Together: task.Together,
	}
	s.hello.Deadline, _ = ctx.Deadline()
	if err := s.makeBoard(); err != nil {
		return nil, err
	}
	s.env = childEnv(n)
	if !task.StartLate {
		if err := s.startAll(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// startAll starts the processes, all at a time, so that no job is begun before it can run.
func (s *processSession) startAll(ctx context.Context) error {
	errs := make([]error, len(s.slots))
	var wg sync.WaitGroup
	for i := range s.slots {
		wg.Go(func() { s.slots[i].process, errs[i] = s.startSurely(ctx, i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err // the others will have failed in the same way
		}
	}
	return nil
}

// startSurely starts a process, and another one if somebody kills it before it is ready: nothing is wrong with
// the program then.
func (s *processSession) startSurely(ctx context.Context, slot int) (w *workerProcess, err error) {
	for range mostDeaths {
		var lost *WorkerLostError
		if w, err = s.start(ctx, slot); err == nil || ctx.Err() != nil || !errors.As(err, &lost) || !isKilled(lost.Reason) {
			break
		}
	}
	return w, err
}

// isKilled reports whether a process has died by a signal that was not this process's.
func isKilled(reason string) bool { return strings.HasPrefix(reason, killedReason+",") }

func cmpOr(ns ...int) int {
	for _, n := range ns {
		if n > 0 {
			return n
		}
	}
	return 1
}

// processSession is the processes of one run. A process is started when its slot is first used.
type processSession struct {
	ctx   context.Context // of the run
	task  Task
	hello hello
	env   []string
	slots []processSlot
	kills int64 // processes that the kernel had ended for want of memory, at the start

	shared int              // bytes for large frames, for each process and direction
	arena  *sharedmem.Arena // of board; nil where processes cannot share memory
	board  sharedmem.Array[int64]
}

// processSlot is a place for a process. One goroutine at a time uses it.
type processSlot struct {
	process *workerProcess
	deaths  int // one after the other, outside of any job
}

func (s *processSession) makeBoard() error {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "workers of " + s.task.Run.ID})
	if err != nil {
		return err
	}
	if s.board, err = sharedmem.Alloc[int64](arena, len(s.slots), boardWidth); err != nil {
		return errors.Join(err, arena.Close())
	}
	if s.arena = arena; !arena.Stats().Shared {
		return nil
	}
	s.hello.Board, err = s.board.MarshalBinary()
	return err
}

// mostShared is what large frames may take of memory, for all processes of a run together. They take it when there are
// such frames, up to the size of the largest. It is addresses in any case, of which a system of 32 bits has few.
const (
	mostShared  = 64 << 20 << (^uint(0) >> 63 * 3)
	leastShared = 1 << 20
)

// sharedFor returns how much each of n processes may have for either direction.
func sharedFor(n int) int {
	size := mostShared / (2 * n) &^ (leastShared - 1)
	return max(size, leastShared) // with more than 256 processes a little more than mostShared
}

// childEnv is what a child gets beside the environment of this process: the processors are shared out
// among n of them.
func childEnv(n int) []string {
	share := strconv.Itoa(max(1, runtime.GOMAXPROCS(0)/n))
	env := []string{"GOMAXPROCS=" + share}
	for _, name := range []string{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} {
		if os.Getenv(name) == "" {
			env = append(env, name+"="+share)
		}
	}
	return env
}

// notForChildren are the settings with which a person moves the runs of this program; the runs inside its jobs
// stay where they are.
var notForChildren = []string{envDebug, envBackend, envWorkers, envProgress, envSeed, envWorker}

func (s *processSession) Slots() int { return len(s.slots) }

// mostDeaths is how often a slot's process may die before it has run a job, one time after the other,
// until the run ends.
const mostDeaths = 4

// Run runs a chunk in the slot's process, or in several one after the other if they run so many jobs only.
func (s *processSession) Run(ctx context.Context, slot int, chunk Chunk, done func(Done)) error {
	most := s.task.MaxJobsPerWorker
	if most == 0 {
		return s.runPart(ctx, slot, chunk, done)
	}
	for p := &s.slots[slot]; ; {
		ran := 0
		if p.process != nil {
			ran = p.process.jobs
		}
		if ran >= most {
			err := p.process.close()
			p.process = nil
			if err != nil {
				return err
			}
			ran = 0
		}
		part, rest := chunk.cut(most - ran)
		err := s.runPart(ctx, slot, part, done)
		if err != nil || rest.Count == 0 || p.process == nil || ctx.Err() != nil {
			return err
		}
		chunk = rest
	}
}

// cut returns the first n jobs of a chunk, at most, and the rest.
func (c Chunk) cut(n int) (first, rest Chunk) {
	if n >= c.Count {
		return c, Chunk{}
	}
	end := c.Ends[n-1]
	first, rest = c, c
	first.Count, first.Jobs, first.Ends = n, c.Jobs[:end], c.Ends[:n]
	rest.First, rest.Count, rest.Jobs, rest.Ends = c.First+n, c.Count-n, c.Jobs[end:], slices.Clone(c.Ends[n:])
	for i := range rest.Ends {
		rest.Ends[i] -= end
	}
	return first, rest
}

// runPart runs a chunk in the slot's process. When that dies outside of any job there is another try, with a new process.
func (s *processSession) runPart(ctx context.Context, slot int, chunk Chunk, done func(Done)) error {
	p := &s.slots[slot]
	for {
		if p.process == nil {
			var err error
			if p.process, err = s.startSurely(ctx, slot); err != nil {
				return err
			}
		}
		reported, err := p.process.run(ctx, chunk, done)
		var lost *WorkerLostError
		ended := p.process.ended
		switch {
		case err == nil:
			p.deaths = 0
			return nil
		case ended:
			p.process = nil
		}
		if ctx.Err() != nil {
			return nil // it was told to end
		}
		if !ended || errors.Is(err, ErrSuspects) || !errors.As(err, &lost) {
			return err // a process that goes on has told it, which may itself have lost another
		}
		if reported {
			p.deaths = 0
			return nil
		}
		if p.deaths++; p.deaths == mostDeaths {
			return fmt.Errorf("worker processes die outside of their jobs: %w", err)
		}
	}
}

// Close ends all processes, and returns what the workers' Close returned.
func (s *processSession) Close() error {
	errs := make([]error, len(s.slots)+1)
	var wg sync.WaitGroup
	for i := range s.slots {
		if p := s.slots[i].process; p != nil {
			wg.Go(func() { errs[i] = p.close() })
		}
	}
	wg.Wait()
	errs[len(s.slots)] = s.arena.Close()
	return errors.Join(errs...)
}
