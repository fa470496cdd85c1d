//go:build unix

package jobgen_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/runtime/jobtest"
)

// The whole suite, while processes are killed at random. What comes out is what a serial loop gives.
func TestSuiteInChaos(t *testing.T) {
	var kills atomic.Int64
	b := &chaos{Backend: jobgen.ProcessBackend(0), seed: 1, kills: &kills}
	jobtest.Exercise(t, jobtest.Place{Options: []jobgen.Option{jobgen.On(b)}, Mortal: true})
	if n := kills.Load(); n < 5 {
		t.Errorf("only %d processes were killed", n)
	}
	t.Logf("%d processes were killed", kills.Load())
}

// chaos stands between the runtime and the backend of processes. Its sessions kill processes, and keep silent
// about the jobs that were lost with them: to the runtime those were not run, and it gives them to Run again.
type chaos struct {
	jobgen.Backend
	seed  uint64
	runs  atomic.Uint64
	kills *atomic.Int64
}

func (c *chaos) Open(ctx context.Context, task jobgen.Task) (jobgen.Session, error) {
	s := &chaosSession{kills: c.kills, pids: make(map[int]int)}
	// A process that dies has not been closed, which is the one thing that the suite would miss.
	s.calm = bytes.Contains(task.Config, []byte(`"FailClose":true`))
	started, lost := task.WorkerStarted, task.WorkerLost
	task.WorkerStarted = func(worker string) {
		s.set(worker, pidOf(worker))
		started(worker)
	}
	task.WorkerLost = func(worker string, err error) {
		s.set(worker, 0)
		lost(worker, err)
	}
	var err error
	if s.Session, err = c.Backend.Open(ctx, task); err != nil {
		return nil, err
	}
	run := c.runs.Add(1)
	for slot := range s.Slots() {
		s.random = append(s.random, rand.New(rand.NewPCG(c.seed+run, uint64(slot))))
	}
	return s, nil
}

type chaosSession struct {
	jobgen.Session
	kills  *atomic.Int64
	calm   bool
	random []*rand.Rand // of each slot

	mu   sync.Mutex
	pids map[int]int // by the number of the slot, from 1
}

func (s *chaosSession) set(worker string, pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pids[slotOf(worker)] = pid
}

// kill kills the process of a slot, if there is one.
func (s *chaosSession) kill(slot int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pid := s.pids[slot+1]; pid > 0 {
		syscall.Kill(pid, syscall.SIGKILL)
		s.kills.Add(1)
	}
}

func (s *chaosSession) Run(ctx context.Context, slot int, chunk jobgen.Chunk, done func(jobgen.Done)) error {
	oneIn := 10
	if raceEnabled { // a new process takes long
		oneIn = 50
	}
	if r := s.random[slot]; !s.calm && r.IntN(oneIn) == 0 {
		killer := time.AfterFunc(time.Duration(r.IntN(1000))*time.Microsecond, func() { s.kill(slot) })
		defer killer.Stop()
	}
	for reported := false; ; {
		err := s.Session.Run(ctx, slot, chunk, func(d jobgen.Done) {
			var lost *jobgen.WorkerLostError
			if !errors.As(d.Err, &lost) {
				reported = true
				done(d)
			}
		})
		if err != nil || reported || ctx.Err() != nil {
			return err
		}
	}
}
