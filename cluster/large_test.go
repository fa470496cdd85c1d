package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// arena makes an arena whose arrays can travel, or skips the test.
func arena(t *testing.T) *sharedmem.Arena {
	t.Helper()
	a, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if !a.Stats().Shared {
		t.Skip("under the race detector arrays lie on the heap of one process")
	}
	return a
}

// Arrays reach all workers, and are kept once for all of a machine.
func TestArrays(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("JOBGEN_CACHE", cache)
	c := embedded(t, cluster.EmbeddedOptions{Workers: 3})
	shared := arena(t)
	const rows, cols = 60, 50_000
	a, err := sharedmem.Alloc[float64](shared, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	s := a.Slice()
	for i := range s {
		s[i] = float64(i % 1000)
	}
	var in []sharedmem.Array[float64]
	for i := range rows {
		in = append(in, a.Rows(i, i+1))
	}
	out, err := NewSumRunner(jobgen.On(c)).Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		if want := 50.0 * 499_500; r.Sum != want {
			t.Errorf("row %d: %v, want %v", i, r.Sum, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, f := range files {
		if !strings.HasSuffix(f, ".lock") {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d files in the cache, want one for one segment: %q", kept, files)
	}
	// The next run sees what was changed since, and what the last one has mapped is given back.
	s[0] += 1000
	out, err = NewSumRunner(jobgen.On(c)).Run(context.Background(), in[:1])
	if want := 50.0*499_500 + 1000; err != nil || out[0].Sum != want {
		t.Errorf("after a change: %v, %v, want %v", out, err, want)
	}
	for _, pid := range c.Workers() {
		maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
		if err == nil && bytes.Contains(maps, []byte(cache)) {
			t.Errorf("the worker with pid %d maps files of runs that are over", pid)
		}
	}
	// Workers have copies: to write into one would be lost, and is refused.
	_, err = NewScribbleRunner(jobgen.On(c)).Run(context.Background(), in[:1])
	var p *jobgen.PanicError
	if !errors.As(err, &p) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a worker that writes to an array: %v", err)
	}
}

// A mapped file reaches workers that do not have it.
func TestMappedFile(t *testing.T) {
	t.Setenv("JOBGEN_CACHE", t.TempDir())
	shared := arena(t)
	a, err := sharedmem.CopyOf(shared, []float64{1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := sharedmem.CreateNPY(path, a); err != nil {
		t.Fatal(err)
	}
	x, err := sharedmem.OpenNPY[float64](path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	c := embedded(t, cluster.EmbeddedOptions{Workers: 1})
	out, err := NewSumRunner(jobgen.On(c)).Run(context.Background(), []sharedmem.Array[float64]{x})
	if err != nil || out[0].Sum != 10 {
		t.Errorf("%v, %v", out, err)
	}
}

// Inputs, results and configurations of any size travel; what is equal is sent once.
func TestLarge(t *testing.T) {
	t.Setenv("JOBGEN_CACHE", t.TempDir())
	c := embedded(t, cluster.EmbeddedOptions{Workers: 2})
	sizes := []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1<<20 - 1, 1 << 20, 3 << 20, 17 << 20}
	var in []RepeatJob
	for i, n := range sizes {
		text := bytes.Repeat([]byte{byte(i), byte(i + 1)}, n/2+1)[:n]
		in = append(in, RepeatJob{Text: text, Times: 1}, RepeatJob{Text: text, Times: 2}, RepeatJob{Text: text[:min(n, 100)], Times: n / 100})
	}
	out, err := NewRepeatRunner(jobgen.On(c)).Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range out {
		if want := bytes.Repeat(in[i].Text, in[i].Times); !bytes.Equal(got, want) {
			t.Errorf("job %d: %d bytes, want %d", i, len(got), len(want))
		}
	}
	w := Weigh{Weights: make([]float64, 1<<18)}
	for i := range w.Weights {
		w.Weights[i] = float64(i)
	}
	weights, err := NewWeighRunner(w, jobgen.On(c)).RunN(context.Background(), 1000)
	if err != nil || weights[999] != 999 {
		t.Errorf("with a large configuration: %v", err)
	}
}

// What jobs log is in the driver's log.
func TestLog(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 1})
	var b lines
	l := slog.New(slog.NewTextHandler(&b, nil))
	if _, err := NewTalkRunner(jobgen.On(c), jobgen.Logger(l)).RunN(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hello from job 2", "double=4", "worker=", "job=1"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the log does not have %q:\n%s", want, b.String())
		}
	}
}

// The environment moves a run of a program that knows nothing of clusters but the import.
func TestFromEnvironment(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 1})
	for _, v := range c.WorkerEnv() {
		name, value, _ := strings.Cut(v, "=")
		if name == "JOBGEN_WORKER" {
			name = "JOBGEN_BACKEND"
		}
		t.Setenv(name, value)
	}
	out, err := NewTalkRunner().RunN(context.Background(), 10)
	if err != nil || out[9] != 9 {
		t.Errorf("%v, %v", out, err)
	}
	_ = os.Getpid()
}

// TestLargeResultsInLittleRoom: results that were read make room for others, also when the store was full meanwhile.
func TestLargeResultsInLittleRoom(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 2, Slots: 1, MaxStore: 2_000_000})
	in := make([]probeIn, 20)
	for i := range in {
		in[i].Bytes = 700_000
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	out, err := probes(jobgen.On(c)).Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range out {
		if len(out[i].Fill) != in[i].Bytes {
			t.Errorf("job %d: %d bytes", i, len(out[i].Fill))
		}
	}
}
