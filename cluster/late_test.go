package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// TestResultsDoNotWait: a job that takes for ever does not hold up the results of those before it in its chunk.
func TestResultsDoNotWait(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 1})
	enough := errors.New("enough")
	for _, slow := range []int{3, 9, 20} {
		t.Run(fmt.Sprint(slow), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			in := make([]probeIn, 40)
			in[slow].Hold = true
			var done atomic.Int32
			_, err := probes(jobgen.On(c), jobgen.Workers(1), jobgen.Observe(jobgen.Observer{
				JobDone: func(jobgen.RunInfo, jobgen.JobInfo) {
					if int(done.Add(1)) == slow {
						cancel(enough)
					}
				},
			})).Run(ctx, in)
			if !errors.Is(err, enough) {
				t.Fatal(err)
			}
		})
	}
}
