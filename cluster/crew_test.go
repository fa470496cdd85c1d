package cluster_test

import (
	"context"
	"testing"

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
