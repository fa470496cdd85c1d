package cluster_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// otherBuild returns this test's program as another build of it: with a byte more, which no loader minds.
func otherBuild(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a program with a byte more may not run here: it can be signed")
	}
	from := must(os.Open(must(os.Executable())(t)))(t)
	defer from.Close()
	path := filepath.Join(t.TempDir(), "other")
	to := must(os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700))(t)
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if _, err := to.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNobodyIsCompatible: three workers, none of which can run the run, and the error says of each why.
func TestNobodyIsCompatible(t *testing.T) {
	other := otherBuild(t)
	s := startServer(t, &server.Options{JetStream: true})
	for range 2 {
		startWorker(t, other, s.ClientURL())
	}
	c := dialled(t, s.ClientURL(), cluster.Options{WaitForWorkers: 10 * time.Minute})
	waitForWorkers(t, s.ClientURL(), 2)
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	_, err := probes(jobgen.On(c)).Run(ctx, repeated(3, probeIn{}))
	var of *cluster.NoWorkersError
	if !errors.As(err, &of) {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	if of.Workers != 2 || len(of.Reasons) != 2 || !strings.Contains(err.Error(), "2 workers, 0 compatible") {
		t.Errorf("the error is %v", err)
	}
	for _, why := range of.Reasons {
		if !strings.Contains(why, "another build") || !strings.Contains(why, "pid") || !strings.Contains(why, "OtherBuilds") {
			t.Errorf("the reason is %s", why)
		}
	}
}

// TestMixedFleet: only those run jobs that can, and the others are named.
func TestMixedFleet(t *testing.T) {
	other := otherBuild(t)
	s := startServer(t, &server.Options{JetStream: true})
	same := startWorker(t, "", s.ClientURL())
	another := startWorker(t, other, s.ClientURL())
	schema := startWorker(t, "", s.ClientURL(), otherSchema+"=1")
	c := dialled(t, s.ClientURL(), cluster.Options{})
	waitForWorkers(t, s.ClientURL(), 3)
	var log lines
	ran := map[string]int{}
	mark := filepath.Join(t.TempDir(), "mark")
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	in := repeated(30, probeIn{})
	in[29] = probeIn{Until: mark} // until both are named
	go func() {
		for ctx.Err() == nil {
			if strings.Contains(log.String(), "another build") && strings.Contains(log.String(), "encoded in another way") {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		_ = os.WriteFile(mark, nil, 0o600)
	}()
	if _, err := probes(jobgen.On(c), jobgen.Logger(log.logger()), counts(ran)).Run(ctx, in); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Errorf("workers that cannot run the run were not named:\n%s", log.String())
	}
	for worker := range ran {
		if !strings.Contains(worker, pidOf(same)) {
			t.Errorf("%s ran a job; only %s can", worker, pidOf(same))
		}
	}

	t.Run("OtherBuilds", func(t *testing.T) {
		c := dialled(t, s.ClientURL(), cluster.Options{OtherBuilds: true})
		ran := map[string]int{}
		in := repeated(200, probeIn{Sleep: 10 * time.Millisecond})
		if _, err := probes(jobgen.On(c), counts(ran)).Run(ctx, in); err != nil {
			t.Fatal(err)
		}
		for worker := range ran {
			if strings.Contains(worker, pidOf(schema)) {
				t.Errorf("%s ran a job, though its types are other ones", worker)
			}
		}
		if same.String() == "" && another.String() == "" && len(ran) == 0 {
			t.Error("nobody ran a job")
		}
	})
}

// TestOtherBuildsOnly: a fleet of another build is good enough if that is allowed, but not one of other types.
func TestOtherBuildsOnly(t *testing.T) {
	other := otherBuild(t)
	s := startServer(t, &server.Options{JetStream: true})
	w := startWorker(t, other, s.ClientURL())
	c := dialled(t, s.ClientURL(), cluster.Options{OtherBuilds: true})
	ran := map[string]int{}
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	if _, err := probes(jobgen.On(c), counts(ran)).Run(ctx, repeated(10, probeIn{})); err != nil {
		t.Fatal(err)
	}
	for worker := range ran {
		if !strings.Contains(worker, pidOf(w)) {
			t.Errorf("%s ran a job", worker)
		}
	}
}

func TestOtherSchemaOnly(t *testing.T) {
	s := startServer(t, &server.Options{JetStream: true})
	startWorker(t, "", s.ClientURL(), otherSchema+"=1")
	c := dialled(t, s.ClientURL(), cluster.Options{OtherBuilds: true, WaitForWorkers: 10 * time.Minute})
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	_, err := probes(jobgen.On(c)).Run(ctx, repeated(3, probeIn{}))
	var of *cluster.NoWorkersError
	if !errors.As(err, &of) || of.Workers != 1 || !strings.Contains(err.Error(), "encoded in another way") {
		t.Fatalf("the error is %v", err)
	}
}

// TestNobody: there are no workers at all. The run says so while it waits, and then fails; or one comes.
func TestNobody(t *testing.T) {
	s := startServer(t, &server.Options{JetStream: true})
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	var log lines
	c := dialled(t, s.ClientURL(), cluster.Options{WaitForWorkers: 4 * time.Second})
	_, err := probes(jobgen.On(c), jobgen.Logger(log.logger())).Run(ctx, repeated(3, probeIn{}))
	var of *cluster.NoWorkersError
	if !errors.As(err, &of) || of.Workers != 0 || !strings.Contains(err.Error(), "JOBGEN_WORKER") {
		t.Fatalf("the error is %v", err)
	}
	if !strings.Contains(log.String(), "waits for workers") {
		t.Errorf("nothing was said while the run waited:\n%s", log.String())
	}

	var later lines
	c = dialled(t, s.ClientURL(), cluster.Options{WaitForWorkers: -1})
	done := make(chan error, 1)
	go func() {
		_, err := probes(jobgen.On(c), jobgen.Logger(later.logger())).Run(ctx, repeated(3, probeIn{}))
		done <- err
	}()
	for !strings.Contains(later.String(), "waits for workers") && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	startWorker(t, "", s.ClientURL())
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// counts counts the jobs of each worker.
func counts(ran map[string]int) jobgen.Option {
	var mu sync.Mutex
	return jobgen.Observe(jobgen.Observer{JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
		mu.Lock()
		ran[j.Worker]++
		mu.Unlock()
	}})
}
