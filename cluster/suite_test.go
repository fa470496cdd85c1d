package cluster_test

import (
	"context"
	"testing"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/runtime/jobtest"
)

func embedded(t *testing.T, o cluster.EmbeddedOptions) *cluster.Cluster {
	t.Helper()
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	c, err := cluster.Embedded(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestSuite(t *testing.T) {
	c := embedded(t, cluster.EmbeddedOptions{Workers: 2, Slots: 2})
	jobtest.Exercise(t, jobtest.Place{Spread: true, Options: []jobgen.Option{jobgen.On(c)}})
}
