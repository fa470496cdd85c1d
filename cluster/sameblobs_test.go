package cluster_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// TestLargeAndAlike: what is large is called by its content on the server, and removed when it was read. That must not
// take it from others whose content is the same.
func TestLargeAndAlike(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 1, Slots: 2})
	const size = 400 << 10
	t.Run("results", func(t *testing.T) {
		out, err := probes(jobgen.On(c)).Run(context.Background(), repeated(40, probeIn{Bytes: size}))
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range out {
			if len(o.Fill) != size {
				t.Fatalf("job %d returned %d bytes, not %d", i, len(o.Fill), size)
			}
		}
	})
	t.Run("inputs", func(t *testing.T) {
		out, err := probes(jobgen.On(c)).Run(context.Background(), repeated(40, probeIn{Pad: strings.Repeat("p", size)}))
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range out {
			if o.In != size {
				t.Fatalf("job %d was given %d bytes, not %d", i, o.In, size)
			}
		}
	})
}

func repeated[T any](n int, v T) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}
