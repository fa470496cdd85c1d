//go:build unix

package jobgen_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Somebody kills workers while they run. Each job that is hit is run again, and all have their results.
func TestChaos(t *testing.T) {
	const n = 3000
	in := among("x", n, 0)
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var pids []int
	lost := 0
	var done atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(random.IntN(6)+2) * time.Millisecond):
			}
			mu.Lock()
			// A worker that dies after its last job has not been closed: an error. And where starting one takes long, a
			// run whose workers are killed for ever would take very long.
			if len(pids) > 0 && done.Load() < n-500 && lost < 100 {
				syscall.Kill(pids[random.IntN(len(pids))], syscall.SIGKILL)
			}
			mu.Unlock()
		}
	})
	// spin makes the jobs long enough for somebody to be hit.
	for i := range in {
		in[i] = fmt.Sprint("spin ", i)
	}
	out, err := mortals(mortal{}, jobgen.Workers(3), jobgen.Retry(100, 0), jobgen.Observe(jobgen.Observer{
		JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
			if j.Err == nil {
				done.Add(1)
			}
		},
		WorkerStarted: func(_ jobgen.RunInfo, worker string) {
			mu.Lock()
			defer mu.Unlock()
			pids = append(pids, pidOf(worker))
		},
		WorkerLost: func(_ jobgen.RunInfo, worker string, _ error) {
			mu.Lock()
			defer mu.Unlock()
			lost++
			pids = slices.DeleteFunc(pids, func(p int) bool { return p == pidOf(worker) })
		},
	})).Run(t.Context(), in)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatalf("after %d deaths: %v", lost, err)
	}
	if !slices.Equal(out, in) {
		t.Error("results are wrong")
	}
	if lost < 3 {
		t.Errorf("only %d workers were lost", lost)
	}
	t.Logf("%d workers were lost", lost)
}
