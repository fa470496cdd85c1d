package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// patient are options with which a chunk that nobody gives back is not run again while a test lasts.
var patient = cluster.Options{WorkerTimeout: 10 * time.Minute, WaitForWorkers: -1}

func skipWithoutSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM")
	}
}

// TestDrain: a worker that is told to end finishes its chunk, and takes no other.
func TestDrain(t *testing.T) {
	skipWithoutSignals(t)
	s := startServer(t, &server.Options{JetStream: true})
	c := dialled(t, s.ClientURL(), patient)
	first := startWorker(t, "", s.ClientURL(), "JOBGEN_DRAIN=10m")
	dir := t.TempDir()
	mark, until := filepath.Join(dir, "mark"), filepath.Join(dir, "until")
	const jobs = 20
	in := make([]probeIn, jobs)
	in[0] = probeIn{Mark: mark, Until: until}
	var others atomic.Int32
	var worker [jobs]string
	var start [jobs]time.Time
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := probes(jobgen.On(c), jobgen.Observe(jobgen.Observer{JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
			worker[j.Index], start[j.Index] = j.Worker, j.Start
			if j.Index > 0 && others.Add(1) == jobs-1 {
				_ = os.WriteFile(until, nil, 0o600) // all that the other worker can do is done
			}
		}})).Run(ctx, in)
		done <- err
	}()
	waitForFile(t, mark, 1)
	first.tell(t, syscall.SIGTERM)
	second := startWorker(t, "", s.ClientURL())
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i, name := range worker {
		want := second
		if !start[i].After(start[0]) { // chunks may come in another order than they were sent
			want = first
		}
		if !strings.Contains(name, pidOf(want)) {
			t.Errorf("job %d ran on %s, not on the worker %s", i, name, pidOf(want))
		}
	}
	if status := first.status(t); status != 0 {
		t.Errorf("the worker that was told to end has status %d", status)
	}
	if info, err := os.Stat(mark); err != nil || info.Size() != 1 {
		t.Errorf("the job that was under way began %d times", info.Size())
	}
}

// TestDrainIsOver: what is not done when the time is over is given back, and another worker takes it at once.
func TestDrainIsOver(t *testing.T) {
	skipWithoutSignals(t)
	for name, deaf := range map[string]bool{"hears": false, "deaf": true} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, &server.Options{JetStream: true})
			c := dialled(t, s.ClientURL(), patient)
			first := startWorker(t, "", s.ClientURL(), "JOBGEN_DRAIN=200ms")
			mark := filepath.Join(t.TempDir(), "mark")
			in := make([]probeIn, 10)
			in[0] = probeIn{Mark: mark, Hold: true, Once: true, Deaf: deaf}
			ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
			defer cancel()
			done := make(chan error, 1)
			var worker string // of the job that holds
			go func() {
				_, err := probes(jobgen.On(c), jobgen.Observe(jobgen.Observer{JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
					if j.Index == 0 {
						worker = j.Worker
					}
				}})).Run(ctx, in)
				done <- err
			}()
			waitForFile(t, mark, 1)
			second := startWorker(t, "", s.ClientURL())
			first.tell(t, syscall.SIGTERM)
			if status := first.status(t); status != 0 {
				t.Errorf("the worker that was told to end has status %d", status)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(worker, pidOf(second)) {
				t.Errorf("%s ran the job, not the worker that is left", worker)
			}
		})
	}
}

// TestLeave: workers that leave while chunks come and go take none with them.
func TestLeave(t *testing.T) {
	skipWithoutSignals(t)
	s := startServer(t, &server.Options{JetStream: true})
	c := dialled(t, s.ClientURL(), patient)
	startWorker(t, "", s.ClientURL())
	for range 5 {
		leaves := startWorker(t, "", s.ClientURL())
		ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
		var told atomic.Bool
		_, err := probes(jobgen.On(c), jobgen.Observe(jobgen.Observer{JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
			if strings.Contains(j.Worker, pidOf(leaves)) && told.CompareAndSwap(false, true) {
				leaves.tell(t, syscall.SIGTERM)
			}
		}})).Run(ctx, repeated(300, probeIn{Sleep: time.Millisecond}))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if told.CompareAndSwap(false, true) {
			leaves.tell(t, syscall.SIGTERM) // it came too late for a job
		}
		if status := leaves.status(t); status != 0 {
			t.Errorf("the worker that was told to end has status %d", status)
		}
	}
}

// TestIdleWorkerLeaves: also before any driver has come.
func TestIdleWorkerLeaves(t *testing.T) {
	skipWithoutSignals(t)
	s := startServer(t, &server.Options{JetStream: true})
	w := startWorker(t, "", s.ClientURL())
	for end := time.Now().Add(soon); s.NumClients() == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	w.tell(t, syscall.SIGTERM)
	if status := w.status(t); status != 0 {
		t.Errorf("the worker has status %d", status)
	}
}
