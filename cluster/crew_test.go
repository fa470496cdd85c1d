package cluster_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// TestWorkersAreCounted: a run says how many jobs its workers could run at a time, not how many chunks were under way.
func TestWorkersAreCounted(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 2, Slots: 3})
	for jobs, want := range map[int]int{200: 6, 1: 1} {
		var done jobgen.RunInfo
		_, err := probes(jobgen.On(c), jobgen.Observe(jobgen.Observer{
			RunDone: func(info jobgen.RunInfo, _ error) { done = info },
		})).Run(context.Background(), make([]probeIn, jobs))
		if err != nil || done.Workers != want {
			t.Errorf("%d jobs: %d workers, want %d; %v", jobs, done.Workers, want, err)
		}
	}
}

// TestWorkersJoin: those that join a run get work, also if they can run more jobs at a time than the run began with.
func TestWorkersJoin(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 1, Slots: 1})
	dir := t.TempDir()
	until := filepath.Join(dir, "until")
	in := make([]probeIn, 30)
	for i := range in {
		in[i] = probeIn{Mark: filepath.Join(dir, fmt.Sprint(i)), Until: until}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := probes(jobgen.On(c)).Run(ctx, in)
		done <- err
	}()
	begun := func(n int) {
		t.Helper()
		for marks := 0; marks < n; {
			all, err := filepath.Glob(filepath.Join(dir, "[0-9]*"))
			if err != nil || ctx.Err() != nil {
				t.Fatalf("%d jobs were begun at a time, want %d; %v", len(all), n, err)
			}
			marks = len(all)
			time.Sleep(10 * time.Millisecond)
		}
	}
	begun(1)
	if err := c.StartWorker(24); err != nil {
		t.Fatal(err)
	}
	begun(25)
	if err := os.WriteFile(until, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
