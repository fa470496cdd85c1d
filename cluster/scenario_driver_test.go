//go:build unix

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// A driver dies at some moment, and another one takes the run up under the same name.
func TestScenario03DriverDies(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	agents := workers(t, s.url(), 2, 2)
	c, _ := connect(t, s.url(), cluster.Options{})

	t.Run("killed at random", func(t *testing.T) {
		const jobs, kills = 160, 4
		random := rand.New(rand.NewPCG(3, 3))
		d := driverConfig{URL: s.url(), Run: "nightly", Dir: t.TempDir(), Jobs: jobs, Nap: 30 * time.Millisecond}
		for range kills {
			p := driver(t, d)
			if random.IntN(2) == 0 { // or else it may be killed before it has begun
				before := begun(t, d.Dir, jobs)
				eventually(t, "some jobs", func() bool { return begun(t, d.Dir, jobs) > before || !p.lives() })
			}
			time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
			p.signal(syscall.SIGKILL)
			<-p.ended
		}
		e := driver(t, d).end(t)
		if e.Err != "" {
			t.Fatal(e.Err)
		}
		check(t, deeds(jobs, d.Nap), e.Out, nil)
		again := 0
		for i, n := range tallied(t, d.Dir, jobs) {
			if n == 0 {
				t.Errorf("job %d was never begun", i)
			}
			again += n - 1
		}
		// What is not stored when a driver dies is what is under way on four slots: a chunk on each, of some 100 ms.
		if most := kills * 4 * 8; again > most {
			t.Errorf("%d jobs were run again, want %d at most", again, most)
		}
		if e.Stats.Recalled == 0 {
			t.Errorf("no results were taken from the drivers before: %+v", e.Stats)
		}
		t.Logf("%d jobs run again, %d recalled", again, e.Stats.Recalled)
		nothingLeft(t, c)
	})

	t.Run("killed and left alone", func(t *testing.T) {
		d := driverConfig{URL: s.url(), Run: "left", Dir: t.TempDir(), Jobs: 100, Nap: 10 * time.Millisecond}
		p := driver(t, d)
		eventually(t, "some jobs", func() bool { return begun(t, d.Dir, d.Jobs) > 10 })
		p.signal(syscall.SIGKILL)
		<-p.ended
		eventually(t, "the end of the processes", func() bool { return len(executors(mark(t))) == 0 })
		e := driver(t, d).end(t)
		if e.Err != "" {
			t.Fatal(e.Err)
		}
		check(t, deeds(d.Jobs, d.Nap), e.Out, nil)
		nothingLeft(t, c)
	})

	t.Run("second driver", func(t *testing.T) {
		d := driverConfig{URL: s.url(), Run: "twice", Dir: t.TempDir(), Jobs: 200, Nap: 60 * time.Millisecond}
		p := driver(t, d)
		eventually(t, "some jobs", func() bool { return begun(t, d.Dir, d.Jobs) > 0 })
		_, err := hazards(hazard{Dir: d.Dir}, jobgen.On(c.Resumable(d.Run))).Run(limited(t), deeds(d.Jobs, d.Nap))
		if !errors.Is(err, cluster.ErrRunInProgress) {
			t.Errorf("the second driver: %v", err)
		}
		e := p.end(t)
		if e.Err != "" {
			t.Fatal(e.Err)
		}
		check(t, deeds(d.Jobs, d.Nap), e.Out, nil)
		nothingLeft(t, c)
	})

	for _, atEnd := range []bool{false, true} {
		t.Run(fmt.Sprintf("stopped and taken over, at its end %t", atEnd), func(t *testing.T) {
			if atEnd {
				slow(t)
			}
			d := driverConfig{URL: s.url(), Run: "stopped", Dir: t.TempDir(), Jobs: 200, Nap: 60 * time.Millisecond}
			first := driver(t, d)
			eventually(t, "some jobs", func() bool { return begun(t, d.Dir, d.Jobs) > 8 })
			first.signal(syscall.SIGSTOP)
			second := driver(t, d)
			eventually(t, "the second driver's jobs", func() bool { return !atEnd && begun(t, d.Dir, d.Jobs) > 100 || !second.lives() })
			first.signal(syscall.SIGCONT)
			if e := first.end(t); !e.Fenced {
				t.Errorf("the first driver was not fenced: %q", e.Err)
			}
			e := second.end(t)
			if e.Err != "" {
				t.Fatal(e.Err)
			}
			check(t, deeds(d.Jobs, d.Nap), e.Out, nil)
			nothingLeft(t, c)
		})
	}

	t.Run("cancelled and taken up", func(t *testing.T) {
		h, in := hazard{Dir: t.TempDir()}, deeds(120, 30*time.Millisecond)
		ctx, cancel := context.WithCancel(limited(t))
		var done atomic.Int64
		stop := jobgen.Observer{JobDone: func(jobgen.RunInfo, jobgen.JobInfo) {
			if done.Add(1) == 40 {
				cancel()
			}
		}}
		r := hazards(h, jobgen.On(c.Resumable("cancelled")))
		if _, err := r.Run(ctx, in, jobgen.Observe(stop)); !errors.Is(err, context.Canceled) {
			t.Fatalf("the cancelled run: %v", err)
		}
		eventually(t, "the end of the processes", func() bool { return len(executors(mark(t))) == 0 })
		before := c.Stats().Recalled
		if _, err := hazards(hazard{Dir: h.Dir, Big: []byte{1}}, jobgen.On(c.Resumable("cancelled"))).Run(limited(t), in); !errors.Is(err, cluster.ErrOtherRun) {
			t.Errorf("another configuration under the same name: %v", err)
		}
		out, err := r.Run(limited(t), in)
		check(t, in, out, err)
		if n := c.Stats().Recalled - before; n < 40 {
			t.Errorf("%d jobs recalled, want those 40 at least that were done", n)
		}
		nothingLeft(t, c)
	})
	noProcessLeft(t, agents...)
}

// begun counts the jobs that were.
func begun(t *testing.T, dir string, n int) (all int) {
	t.Helper()
	for _, k := range tallied(t, dir, n) {
		if k > 0 {
			all++
		}
	}
	return all
}

// A run ends before its jobs do.
func TestScenario14Cancel(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 10 * time.Second})
	agents := workers(t, s.url(), 2, 2)
	for _, v := range []struct {
		name string
		do   string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		{"cancel", "", context.WithCancel, context.Canceled},
		{"cancel of what does not listen", "hang", context.WithCancel, context.Canceled},
		{"deadline", "", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 1500*time.Millisecond)
		}, context.DeadlineExceeded},
	} {
		t.Run(v.name, func(t *testing.T) {
			ctx, cancel := v.ctx(limited(t))
			defer cancel()
			h, in := hazard{Dir: t.TempDir()}, deeds(500, 0)
			for i := range in {
				if in[i].Nap = time.Hour; v.do != "" {
					in[i].Nap, in[i].Do = 0, v.do
				}
			}
			var cancelled time.Time
			if v.want == context.Canceled {
				go func() {
					eventually(t, "jobs on all slots", func() bool { return begun(t, h.Dir, len(in)) == 4 })
					cancelled = time.Now()
					cancel()
				}()
			}
			_, err := hazards(h, jobgen.On(c)).Run(ctx, in)
			if !errors.Is(err, v.want) {
				t.Fatalf("the run ended with %v", err)
			}
			if !cancelled.IsZero() {
				t.Logf("the run ended after %v", time.Since(cancelled))
			}
			nothingLeft(t, c)
			if runtime.GOOS == "linux" {
				eventually(t, "the end of the processes", func() bool { return len(executors(mark(t))) == 0 })
			}
			n := begun(t, h.Dir, len(in))
			time.Sleep(200 * time.Millisecond)
			if m := begun(t, h.Dir, len(in)); m != n || n > 16 {
				t.Errorf("%d jobs were begun on 4 slots when the run had ended, and %d more since", n, m-n)
			}
			quick := deeds(20, 0)
			out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), quick)
			check(t, quick, out, err)
		})
	}
	noProcessLeft(t, agents...)
}

// Jobs can ask why they were told to end. Those that return it as their error have not failed.
func TestCauseReachesJobs(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	c, _ := connect(t, s.url(), cluster.Options{})
	agents := workers(t, s.url(), 1, 2)
	for why, ending := range map[string]func(context.Context) (context.Context, func(error)){
		"enough is known": func(ctx context.Context) (context.Context, func(error)) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, cancel
		},
		context.DeadlineExceeded.Error(): func(ctx context.Context) (context.Context, func(error)) {
			ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
			return ctx, func(err error) {
				if err == nil {
					cancel()
				}
			}
		},
	} {
		ctx, end := ending(limited(t))
		h, in := hazard{Dir: t.TempDir()}, deeds(2, 0)
		in[0].Do, in[1].Do = "say why", "say why"
		go func() {
			eventually(t, "both jobs", func() bool { return begun(t, h.Dir, len(in)) == 2 })
			end(errors.New(why))
		}()
		_, err := hazards(h, jobgen.On(c)).Run(ctx, in)
		var run *jobgen.RunError
		if !errors.As(err, &run) || len(run.Jobs) > 0 || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("%s: the run ended with %v", why, err)
		}
		for i := range in {
			if got, err := os.ReadFile(filepath.Join(h.Dir, fmt.Sprint("why-", i))); string(got) != why {
				t.Errorf("job %d was told %q, %v; want %q", i, got, err, why)
			}
		}
		end(nil)
		nothingLeft(t, c)
	}
	noProcessLeft(t, agents...)
}

// A run of a few jobs need not wait for one of very many.
func TestScenario15FairTurns(t *testing.T) {
	s := newServer(t, serverConfig{})
	c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 10 * time.Second})
	agents := workers(t, s.url(), 2, 1)
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	const jobs = 1_000_000
	whole := os.Getenv("JOBGEN_SLOW_TESTS") != "" && !raceEnabled
	in := deeds(jobs, 0)
	var done atomic.Int64
	count := jobgen.Observer{JobDone: func(jobgen.RunInfo, jobgen.JobInfo) { done.Add(1) }}
	over := make(chan error, 1)
	var out []string
	go func() {
		var err error
		out, err = hazards(hazard{}, jobgen.On(c), jobgen.Observe(count)).Run(ctx, in)
		over <- err
	}()
	eventually(t, "the big run's first jobs", func() bool { return done.Load() > 0 })
	for range 3 {
		before := done.Load()
		small := deeds(10, 0)
		out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), small)
		check(t, small, out, err)
		t.Logf("the small run was done while the big one did %d jobs", done.Load()-before)
	}
	if n := done.Load(); n >= jobs {
		t.Error("the big run was done before the small ones")
	}
	if whole {
		err := <-over
		check(t, in, out, err)
	} else {
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	nothingLeft(t, c)
	noProcessLeft(t, agents...)
}

// The first job of a stream is stuck: what the driver holds does not grow.
func TestScenario17FirstChunkBlocked(t *testing.T) {
	s := newServer(t, serverConfig{})
	c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 10 * time.Second})
	agents := workers(t, s.url(), 2, 2)
	h := hazard{Dir: t.TempDir(), Quiet: true}
	jobs := 20_000
	if os.Getenv("JOBGEN_SLOW_TESTS") != "" && !raceEnabled {
		jobs = 200_000
	}
	const window, size = 500, 2 << 10
	var taken atomic.Int64
	load := make([]byte, size)
	inputs := func(yield func(deed) bool) {
		for i := range jobs {
			d := deed{N: i, Load: load, Size: size}
			if i == 0 {
				d.Do = "wait for file"
			}
			taken.Add(1)
			if !yield(d) {
				return
			}
		}
	}
	go func() {
		last, since := int64(0), time.Now()
		eventually(t, "the stream stands still", func() bool {
			if n := taken.Load(); n != last {
				last, since = n, time.Now()
			}
			return last > 0 && time.Since(since) > 2*time.Second
		})
		if last > 2*window {
			t.Errorf("%d inputs were taken, with a window of %d", last, window)
		}
		if err := os.WriteFile(filepath.Join(h.Dir, "go"), nil, 0o600); err != nil {
			t.Error(err)
		}
	}()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most, next := uint64(0), 0
	for out, err := range hazards(h, jobgen.On(c)).Stream(limited(t), inputs, jobgen.Window(window)) {
		if err != nil {
			t.Fatal(err)
		}
		d := deed{N: next, Load: load, Size: size}
		if out != d.result() {
			t.Fatalf("result %d is another one", next)
		}
		if next++; next%1000 == 1 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	if next != jobs {
		t.Errorf("%d results of %d", next, jobs)
	}
	// A window of inputs and results, encoded and not, some of it twice on its way, and what the libraries hold.
	if grown := int64(most) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap has grown by %d MB", grown>>20)
	}
	nothingLeft(t, c)
	noProcessLeft(t, agents...)
}
