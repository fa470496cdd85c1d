//go:build unix

package jobgen_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestMaxJobsPerWorker(t *testing.T) {
	out, err := mortals(mortal{}, jobgen.MaxJobsPerWorker(7)).Run(t.Context(), slices.Repeat([]string{"pid"}, 100))
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]int{}
	for _, pid := range out {
		jobs[pid]++
	}
	for pid, n := range jobs {
		if n > 7 {
			t.Errorf("process %s ran %d jobs", pid, n)
		}
	}
	if len(jobs) < 100/7 {
		t.Errorf("there were only %d processes", len(jobs))
	}
	if out, err = mortals(mortal{}, jobgen.MaxJobsPerWorker(5), jobgen.Workers(1)).Run(t.Context(), slices.Repeat([]string{"pid"}, 22)); err != nil {
		t.Fatal(err)
	}
	clear(jobs)
	for _, pid := range out {
		jobs[pid]++
	}
	if len(jobs) != 5 || jobs[out[0]] != 5 || jobs[out[21]] != 2 {
		t.Errorf("22 jobs in processes that run 5 each: %v", jobs)
	}
}

func TestMemoryLimit(t *testing.T) {
	if raceEnabled || runtime.GOOS != "linux" {
		t.Skip("not under the race detector, which takes memory of its own, and only on Linux")
	}
	t.Parallel()
	in := among("leak", 10, 4, 5)
	out, err := mortals(mortal{}, jobgen.MemoryLimit(256<<20), jobgen.CollectErrors()).Run(t.Context(), in)
	for _, j := range checkJobs(t, err, 4, 5) {
		var death *jobgen.WorkerLostError
		if !errors.As(j, &death) || death.Reason != "exit status 2, out of memory" {
			t.Errorf("%v", j)
		}
	}
	checkOthers(t, in, out, 4, 5)
}

// Limits that cannot be kept to are an error, not a hope.
func TestLimitsNeedProcesses(t *testing.T) {
	for _, o := range []jobgen.Option{jobgen.MaxJobsPerWorker(3), jobgen.MemoryLimit(1 << 30)} {
		_, err := mortals(mortal{}, jobgen.Goroutines()).Run(t.Context(), []string{"a"}, o)
		var run *jobgen.RunError
		if !errors.As(err, &run) || run.NotRun != 1 || !strings.Contains(err.Error(), "use jobgen.Processes()") {
			t.Errorf("on goroutines: %v", err)
		}
		if _, err := mortals(mortal{}, jobgen.Debug()).Run(t.Context(), []string{"a"}, o); err != nil {
			t.Errorf("in debug mode: %v", err)
		}
	}
	if _, err := mortals(mortal{}, jobgen.MemoryLimit(1000)).Run(t.Context(), []string{"a"}); err == nil {
		t.Error("a thousand bytes were accepted")
	}
}
