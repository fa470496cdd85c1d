//go:build unix

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// hazard is a worker whose jobs do what their inputs say.
type hazard struct {
	Dir   string // where jobs are counted, and latches are
	Big   []byte // makes the configuration large
	Quiet bool   // jobs are not counted
	Setup string // "die": the first to be set up ends its process
}

// deed is a job.
type deed struct {
	N    int
	Do   string        `json:",omitempty"`
	Once string        `json:",omitempty"` // a latch: only the first does it
	Nap  time.Duration `json:",omitempty"` // before
	Size int           `json:",omitempty"` // bytes of result
	Load []byte        `json:",omitempty"`
	Text string        `json:",omitempty"`
}

// result is what the job returns, for whoever runs it.
func (d *deed) result() string {
	if d.Size == 0 {
		return fmt.Sprintf("%d: %d bytes", d.N, len(d.Load)+len(d.Text))
	}
	b := make([]byte, d.Size)
	for i := range b {
		b[i] = 'a' + byte((i+d.N)%26)
	}
	return string(b)
}

func (h *hazard) setUp(context.Context) error {
	if h.Setup == "die" && latch(filepath.Join(h.Dir, "setup")) {
		endProcess("kill")
	}
	return nil
}

func (h *hazard) do(ctx context.Context, d deed) (string, error) {
	if h.Dir != "" && !h.Quiet {
		tally(h.Dir, d.N)
	}
	if d.Nap > 0 {
		select {
		case <-time.After(d.Nap):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	if d.Once != "" && !latch(filepath.Join(h.Dir, d.Once)) {
		return d.result(), nil
	}
	switch d.Do {
	case "kill":
		endProcess("kill")
	case "exit":
		endProcess("exit")
	case "segfault":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	case "kill soon":
		time.AfterFunc(time.Millisecond, func() { endProcess("kill") })
	case "kill agent":
		_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)
		select {}
	case "panic":
		panic("a panic")
	case "leak":
		var kept [][]byte
		for {
			kept = append(kept, make([]byte, 1<<20))
			for i := range kept[len(kept)-1] {
				kept[len(kept)-1][i] = 1
			}
		}
	case "hang":
		for n := 0; ; n++ {
			if n < 0 {
				return "", nil
			}
		}
	case "wait for file":
		if err := waitForName(ctx, h.Dir, "go"); err != nil {
			return "", err
		}
	case "straddle": // the first job of an agent that is to be cut off begins before that, and ends after it
		if os.Getenv("CLUSTERTEST_CUT_OFF") != "" && latch(filepath.Join(h.Dir, "begun")) {
			return d.result(), waitForName(ctx, h.Dir, "cut")
		}
	case "slow agent":
		if os.Getenv("CLUSTERTEST_SLOW") != "" {
			time.Sleep(100 * time.Millisecond)
		} else {
			time.Sleep(time.Millisecond)
		}
	case "say why": // its context has ended
		<-ctx.Done()
		if err := os.WriteFile(filepath.Join(h.Dir, fmt.Sprint("why-", d.N)), []byte(context.Cause(ctx).Error()), 0o600); err != nil {
			return "", err
		}
		return "", context.Cause(ctx)
	case "fail":
		return "", errors.New("it fails")
	}
	return d.result(), nil
}

// there reports whether a directory has a file of a name.
func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// waitForName waits until there is one.
func waitForName(ctx context.Context, dir, name string) error {
	for {
		if there(dir, name) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// tally counts that a job was begun.
func tally(dir string, n int) {
	f, err := os.OpenFile(filepath.Join(dir, "n"+strconv.Itoa(n)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.Write([]byte{'x'})
	f.Close()
}

// tallied returns how often each of n jobs was begun.
func tallied(t *testing.T, dir string, n int) []int {
	t.Helper()
	counts := make([]int, n)
	for i := range counts {
		if info, err := os.Stat(filepath.Join(dir, "n"+strconv.Itoa(i))); err == nil {
			counts[i] = int(info.Size())
		}
	}
	return counts
}

func hazardSpec(h hazard) jobgen.Spec[deed, string] {
	instances := func(h hazard) func() jobgen.Instance[deed, string] {
		return func() jobgen.Instance[deed, string] {
			h := h
			return jobgen.Instance[deed, string]{Setup: h.setUp, Do: h.do}
		}
	}
	return jobgen.Spec[deed, string]{
		Name: "github.com/jobgen/jobgen/cluster_test.hazard",
		New:  instances(h),
		Wire: &jobgen.Wire[deed, string]{
			Fingerprint: 17,
			Config:      func(b []byte) ([]byte, error) { return appendLine(b, h) },
			Configured: func(config []byte) (func() jobgen.Instance[deed, string], error) {
				h, _, err := readLine[hazard](config)
				return instances(h), err
			},
			AppendIn: appendLine[deed], ReadIn: readLine[deed],
			AppendOut: appendLine[string], ReadOut: readLine[string],
		},
	}
}

func init() { jobgen.Register(hazardSpec(hazard{})) }

func hazards(h hazard, opts ...jobgen.Option) *jobgen.Runner[deed, string] {
	r := jobgen.NewRunner(hazardSpec(h), opts...)
	return &r
}

// deeds makes n harmless jobs.
func deeds(n int, nap time.Duration) []deed {
	all := make([]deed, n)
	for i := range all {
		all[i] = deed{N: i, Nap: nap}
	}
	return all
}

// someDeeds are jobs that take different times.
func someDeeds(seed uint64, n int, most time.Duration) []deed {
	random := rand.New(rand.NewPCG(seed, 1))
	all := deeds(n, 0)
	for i := range all {
		all[i].Nap = time.Duration(random.Int64N(int64(most) + 1))
	}
	return all
}

// check compares a run's results with a serial loop's. Jobs in failed are to have failed, and no others.
func check(t *testing.T, in []deed, out []string, err error, failed ...int) {
	t.Helper()
	if len(out) != len(in) {
		t.Fatalf("%d results for %d jobs: %v", len(out), len(in), err)
	}
	wrong := map[int]bool{}
	if err != nil {
		var e *jobgen.RunError
		if !errors.As(err, &e) || e.Cause != nil || e.NotRun > 0 || len(failed) == 0 {
			t.Fatalf("the run failed: %v", err)
		}
		for _, j := range e.Jobs {
			wrong[j.Index] = true
		}
	}
	for _, i := range failed {
		if !wrong[i] {
			t.Errorf("job %d did not fail", i)
		}
		delete(wrong, i)
	}
	if len(wrong) > 0 {
		t.Errorf("these jobs failed too: %v: %v", wrong, err)
	}
	bad := map[int]bool{}
	for _, i := range failed {
		bad[i] = true
	}
	for i := range in {
		if !bad[i] && !wrong[i] && out[i] != in[i].result() {
			t.Fatalf("job %d: %.60q, want %.60q", i, out[i], in[i].result())
		}
	}
}

// limited is a context that ends when a run hangs.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(context.Background(), 2*patience, errors.New("the test's patience is over"))
	t.Cleanup(cancel)
	return ctx
}
