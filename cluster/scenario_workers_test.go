//go:build unix

package cluster_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

func faultEnv(c faultConfig) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return envFaults + "=" + string(text)
}

// An agent, or the process that runs its jobs, dies: before a chunk begins, in the middle of it, and when the result is stored
// but the chunk not acknowledged.
func TestScenario01WorkerDies(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	in := someDeeds(1, 200, 4*time.Millisecond)
	for _, how := range []string{"kill", "exit"} {
		for _, point := range []string{"taken", "before storing", "after storing", "acknowledging"} {
			t.Run("agent "+how+" "+point, func(t *testing.T) {
				if how == "exit" && point != "after storing" {
					slow(t)
				}
				latch := filepath.Join(t.TempDir(), "latch")
				c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
				agents := workers(t, s.url(), 2, 2, faultEnv(faultConfig{Point: point, How: how, Latch: latch}))
				out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
				check(t, in, out, err)
				if agents[0].lives() == agents[1].lives() {
					t.Error("no agent, or more than one, has died")
				}
				nothingLeft(t, c)
				noProcessLeft(t, agents...)
			})
		}
	}
	agents := workers(t, s.url(), 2, 2)
	t.Run("agent kill in the middle", func(t *testing.T) {
		extra := worker(t, s.url(), 2)
		h, in := hazard{Dir: t.TempDir()}, deeds(200, time.Millisecond)
		in[60].Do, in[60].Once = "kill agent", "once"
		c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
		out, err := hazards(h, jobgen.On(c)).Run(limited(t), in)
		check(t, in, out, err)
		living := 0
		for _, a := range append([]*process{extra}, agents...) {
			if a.lives() {
				living++
			}
		}
		if living != 2 {
			t.Errorf("%d agents live, want 2", living)
		}
		nothingLeft(t, c)
	})
	t.Run("process before start", func(t *testing.T) {
		c, _ := connect(t, s.url(), cluster.Options{})
		out, err := hazards(hazard{Dir: t.TempDir(), Setup: "die"}, jobgen.On(c)).Run(limited(t), in)
		check(t, in, out, err)
		nothingLeft(t, c)
	})
	for _, how := range []string{"kill", "exit", "segfault"} {
		t.Run("process "+how+" in the middle", func(t *testing.T) {
			in := deeds(100, time.Millisecond)
			in[40].Do = how
			c, _ := connect(t, s.url(), cluster.Options{})
			out, err := hazards(hazard{Dir: t.TempDir()}, jobgen.On(c), jobgen.CollectErrors()).Run(limited(t), in)
			check(t, in, out, err, 40)
			var lost *jobgen.WorkerLostError
			if !errors.As(err, &lost) {
				t.Errorf("the error is no WorkerLostError: %v", err)
			}
			nothingLeft(t, c)
		})
	}
	t.Run("process after a result", func(t *testing.T) {
		in := deeds(100, time.Millisecond)
		in[40].Do, in[40].Once = "kill soon", "once"
		c, _ := connect(t, s.url(), cluster.Options{})
		out, err := hazards(hazard{Dir: t.TempDir()}, jobgen.On(c), jobgen.CollectErrors()).Run(limited(t), in)
		// Whichever job was running then is blamed, if there was one.
		var e *jobgen.RunError
		var failed []int
		if errors.As(err, &e) && len(e.Jobs) == 1 {
			failed = append(failed, e.Jobs[0].Index)
		}
		check(t, in, out, err, failed...)
		nothingLeft(t, c)
	})
	noProcessLeft(t, agents...)
}

// All workers die; the run says that it waits, and goes on when others come.
func TestScenario02AllWorkersDie(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	c, log := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
	agents := workers(t, s.url(), 2, 1)
	in := deeds(60, 20*time.Millisecond)
	h := hazard{Dir: t.TempDir()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		eventually(t, "the first job", func() bool {
			_, err := os.Stat(filepath.Join(h.Dir, "n0"))
			return err == nil
		})
		for _, a := range agents {
			a.signal(syscall.SIGKILL)
		}
		eventually(t, "a record that says that there are no workers", func() bool {
			return log.has("the run waits for workers") && log.has("there are no workers")
		})
		agents = workers(t, s.url(), 2, 1)
	}()
	out, err := hazards(h, jobgen.On(c)).Run(limited(t), in)
	<-done
	check(t, in, out, err)
	nothingLeft(t, c)
	noProcessLeft(t, agents...)
}

// A worker that is 100 times slower than the others: it has one chunk, sized for the others, when those are done.
func TestScenario07SlowWorker(t *testing.T) {
	s := newServer(t, serverConfig{})
	c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 10 * time.Second})
	agents := append(workers(t, s.url(), 2, 1), worker(t, s.url(), 1, "CLUSTERTEST_SLOW=1"))
	in := deeds(3000, 0)
	for i := range in {
		in[i].Do = "slow agent"
	}
	// The slow worker's jobs, and when each ended.
	var mu sync.Mutex
	byWorker := map[string]int{}
	var lastFast, last time.Time
	obs := jobgen.Observer{JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
		mu.Lock()
		defer mu.Unlock()
		byWorker[j.Worker]++
		if end := j.Start.Add(j.Elapsed); end.After(last) {
			last = end
		}
		if end := j.Start.Add(j.Elapsed); j.Elapsed < 80*time.Millisecond && end.After(lastFast) {
			lastFast = end
		}
	}}
	out, err := hazards(hazard{}, jobgen.On(c), jobgen.Observe(obs)).Run(limited(t), in)
	check(t, in, out, err)
	slowest := 0
	for name, n := range byWorker {
		if strings.Contains(name, "pid "+itoa(agents[2].cmd.Process.Pid)) {
			slowest += n
		}
	}
	// A chunk is sized for 100 ms of whoever ran the slot's last one: some hundred quick jobs, 100 ms each here at
	// most. Had it prefetched, or a share of its own, it would have a third of the jobs.
	if slowest > 3000/6 {
		t.Errorf("the slow worker got %d of %d jobs", slowest, len(in))
	}
	t.Logf("the slow worker got %d of %d jobs; the tail was %v", slowest, len(in), last.Sub(lastFast))
	nothingLeft(t, c)
	noProcessLeft(t, agents...)
}

// Jobs that break whatever runs them fail, and no others do.
func TestScenario08Poison(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	for _, v := range []struct {
		name string
		do   string
		opts []jobgen.Option
	}{
		{"panic", "panic", nil},
		{"exit", "exit", nil},
		{"out of memory", "leak", []jobgen.Option{jobgen.MemoryLimit(512 << 20)}},
		{"endless loop", "hang", []jobgen.Option{jobgen.JobTimeout(time.Second)}},
	} {
		t.Run(v.name, func(t *testing.T) {
			if v.do == "leak" && raceEnabled {
				t.Skip("the race detector needs more memory than the limit")
			}
			c, _ := connect(t, s.url(), cluster.Options{})
			agents := workers(t, s.url(), 1, 2)
			in := deeds(30, time.Millisecond)
			in[3].Do, in[17].Do = v.do, v.do
			opts := append([]jobgen.Option{jobgen.On(c), jobgen.CollectErrors()}, v.opts...)
			out, err := hazards(hazard{}, opts...).Run(limited(t), in)
			check(t, in, out, err, 3, 17)
			nothingLeft(t, c)
			noProcessLeft(t, agents...)
		})
	}
	t.Run("kills its agent", func(t *testing.T) {
		c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 1500 * time.Millisecond})
		in := deeds(30, time.Millisecond)
		in[11].Do = "kill agent"
		var agents []*process
		over := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // whoever looks after the agents starts another one for each that died
			for {
				living := 0
				for _, a := range agents {
					if a.lives() {
						living++
					}
				}
				if living < 2 {
					agents = append(agents, worker(t, s.url(), 1))
				}
				select {
				case <-over:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
		h := hazard{Dir: t.TempDir()}
		out, err := hazards(h, jobgen.On(c), jobgen.CollectErrors()).Run(limited(t), in)
		close(over)
		wg.Wait()
		check(t, in, out, err, 11)
		var lost *jobgen.WorkerLostError
		if !errors.As(err, &lost) || !strings.Contains(lost.Reason, "agents died") {
			t.Errorf("the job failed with %v", err)
		}
		// Three deaths until its chunk is looked at, three with the job named, and those for which it takes a
		// while to be sure.
		if n := tallied(t, h.Dir, len(in))[11]; n < 4 || n > 14 {
			t.Errorf("the job was begun %d times", n)
		} else {
			t.Logf("the job was begun %d times", n)
		}
		nothingLeft(t, c)
		noProcessLeft(t, agents...)
	})
}

// Chunks are given to several workers, because those are thought dead, or because an answer was lost on its way.
func TestScenario09Duplicates(t *testing.T) {
	s := newServer(t, serverConfig{})
	t.Run("late workers", func(t *testing.T) {
		var log records
		c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 100 * time.Millisecond})
		agents := workers(t, s.url(), 3, 1)
		in := deeds(200, 30*time.Millisecond)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // each is stopped for longer than it may be silent, again and again
			for i := 0; ; i++ {
				a := agents[i%len(agents)]
				a.signal(syscall.SIGSTOP)
				pause := time.After(300 * time.Millisecond)
				select {
				case <-stop:
					a.signal(syscall.SIGCONT)
					return
				case <-pause:
				}
				a.signal(syscall.SIGCONT)
				time.Sleep(50 * time.Millisecond)
			}
		})
		out, err := hazards(hazard{}, jobgen.On(c), jobgen.Logger(textLogger(&log))).Run(limited(t), in)
		close(stop)
		wg.Wait()
		check(t, in, out, err)
		if n := c.Stats(); n.Duplicates == 0 {
			t.Errorf("no duplicates were counted: %+v", n)
		}
		if !log.has("run ended on the cluster") || !log.has("duplicates=") || log.has("duplicates=0") {
			t.Errorf("the log does not count duplicates:\n%s", &log)
		}
		nothingLeft(t, c)
		noProcessLeft(t, agents...)
	})
	for _, seed := range []uint64{1, 2, 3} {
		t.Run("lost answers "+itoa(int(seed)), func(t *testing.T) {
			if seed > 1 {
				slow(t)
			}
			cluster.SetFault(faultConfig{Seed: seed, Rate: 0.1}.fault())
			defer cluster.SetFault(nil)
			c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
			agents := workers(t, s.url(), 2, 2, faultEnv(faultConfig{Seed: seed, Rate: 0.15}))
			in := someDeeds(seed, 300, 20*time.Millisecond)
			out, err := hazards(hazard{}, jobgen.On(c), jobgen.Workers(8)).Run(limited(t), in)
			check(t, in, out, err)
			if n := c.Stats(); n.Duplicates == 0 {
				t.Errorf("no duplicates were counted: %+v", n)
			}
			nothingLeft(t, c)
			noProcessLeft(t, agents...)
		})
	}
}
