package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// clusters measures a cluster on this machine: a server in this process, files on its disk, and two workers.
func clusters(b *bench) []*table {
	if !b.wanted("cluster", "") {
		return nil
	}
	c := need(cluster.Embedded(context.Background(), cluster.EmbeddedOptions{Workers: 2}))
	defer func() { check(c.Close()) }()
	tables := []*table{clusterTiny(b, c)}
	return append(tables, clusterMemory(b, c))
}

func clusterTiny(b *bench, c *cluster.Cluster) *table {
	n := b.scale(5_000_000, 5000)
	inputs := floats(n)
	t := &table{
		title: "Cluster: tiny jobs, in chunks that jobgen sizes itself",
		head:  []string{"tiny jobs", "jobs", "time per job", "cluster / it"},
	}
	run := func(o jobgen.Option) func() time.Duration {
		return func() time.Duration {
			return clocked(func() { need(NewDoubleRunner(o).Run(context.Background(), inputs)) })
		}
	}
	b.versus(t, "cluster", []way{
		{"tiny, cluster", n, run(jobgen.On(c))},
		{"tiny, processes", n, run(inProcesses)},
	}, 1)
	_ = fmt.Sprint
	_ = sharedmem.NewArena
	_ = runtime.GC
	return t
}

func clusterMemory(b *bench, c *cluster.Cluster) *table { return &table{title: "x"} }
