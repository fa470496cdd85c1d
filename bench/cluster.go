package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// clusters measures a cluster on this machine: a server inside this process, with files on its disk, and workers, which all
// share its processors.
func clusters(b *bench) []*table {
	var tables []*table
	if b.wanted("cluster", "tiny") {
		tables = append(tables, clusterTiny(b))
	}
	if b.wanted("cluster", "memory") {
		tables = append(tables, clusterMemory(b))
	}
	if b.wanted("cluster", "shared") && arraysTravel() {
		tables = append(tables, clusterShared(b))
	}
	return tables
}

// started starts a cluster for the time of f.
func started(workers int, f func(c *cluster.Cluster)) {
	c := need(cluster.Embedded(context.Background(), cluster.EmbeddedOptions{Workers: workers}))
	defer func() { check(c.Close()) }()
	f(c)
}

func clusterTiny(b *bench) *table {
	n := b.scale(5_000_000, 5000)
	inputs := floats(n)
	t := &table{
		title: "Cluster: tiny jobs, in chunks that jobgen sizes itself",
		head:  []string{"tiny jobs", "jobs", "time per job", "cluster / it", "start / it"},
		notes: []string{
			"A job multiplies a number. One server inside this process, results and chunks in files, two workers with a process for jobs each.",
			"The row with the start has few jobs: what it takes to begin and end a run on servers and workers that are there.",
		},
	}
	run := func(o jobgen.Option, inputs []float64) func() time.Duration {
		return func() time.Duration {
			return clocked(func() { need(NewDoubleRunner(o).Run(context.Background(), inputs)) })
		}
	}
	few := inputs[:min(n, 100)]
	started(2, func(c *cluster.Cluster) {
		ways := []way{
			{"tiny, cluster, a run", n, run(jobgen.On(c), inputs)},
			{"tiny, cluster, a run of 100 jobs", len(few), run(jobgen.On(c), few)},
			{"tiny, processes, a run", n, run(inProcesses, inputs)},
			{"tiny, goroutines, a run", n, run(inGoroutines, inputs)},
		}
		ways = append(ways, b.pythons(b.python("tiny, dask.distributed, map and gather", "dask", b.scale(5000, 50)))...)
		b.versus(t, "cluster", "tiny jobs", ways, 2)
	})
	return t
}

// clusterMemory looks at the driver's heap while a long stream goes through.
func clusterMemory(b *bench) *table {
	t := &table{
		title: "Cluster: the heap of the driver and its server during a stream of tiny jobs",
		head:  []string{"", "jobs", "the most heap in use", "time per job"},
		notes: []string{"Looked at every 20 ms, what is garbage included. The server is inside the same process."},
	}
	started(2, func(c *cluster.Cluster) {
		for _, n := range []int{b.scale(100_000, 1000), b.scale(1_000_000, 2000), b.scale(10_000_000, 5000)} {
			runtime.GC()
			var most atomic.Int64
			stop, stopped := make(chan bool), make(chan bool)
			go func() {
				defer close(stopped)
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most.Store(max(most.Load(), int64(m.HeapInuse)))
					select {
					case <-stop:
						return
					case <-tick.C:
					}
				}
			}()
			took := clocked(func() {
				in := func(yield func(float64) bool) {
					for i := range n {
						if !yield(float64(i)) {
							return
						}
					}
				}
				for _, err := range NewDoubleRunner(jobgen.On(c)).Stream(context.Background(), in) {
					check(err)
				}
			})
			close(stop)
			<-stopped
			t.add("stream on the cluster", sizeOf(n), fmt.Sprintf("%s KiB", sizeOf(int(most.Load()>>10))), span(float64(took)/float64(n)))
		}
	})
	return t
}

// clusterShared sends jobs to four workers that all need the same large array.
func clusterShared(b *bench) *table {
	t := &table{
		title: "Cluster: one shared input for four workers on one machine",
		head:  []string{"", "bytes", "time", "copies on the machine"},
		notes: []string{"The first run moves the array to the server and from there to a file that all four workers map. The second one is another run: the file is there already."},
	}
	dir := need(os.MkdirTemp("", "bench"))
	defer os.RemoveAll(dir)
	os.Setenv("JOBGEN_CACHE", dir)
	defer os.Unsetenv("JOBGEN_CACHE")
	arena := need(sharedmem.NewArena(sharedmem.ArenaOptions{}))
	defer func() { check(arena.Close()) }()
	n := b.scale(32<<20, 1<<18)
	a := need(sharedmem.Alloc[float64](arena, n))
	s := a.Slice()
	for i := range s {
		s[i] = float64(i % 1000)
	}
	jobs := slices.Repeat([]sharedmem.Array[float64]{a}, 8)
	started(4, func(c *cluster.Cluster) {
		for _, name := range []string{"first run", "second run"} {
			took := clocked(func() { need(NewVarianceRunner(jobgen.On(c)).Run(context.Background(), jobs)) })
			t.add(name, sizeOf(8*n), span(float64(took)), sizeOf(filesIn(dir)))
		}
	})
	return t
}

// filesIn counts the files in a cache.
func filesIn(dir string) (n int) {
	for _, path := range need(filepath.Glob(filepath.Join(dir, "*"))) {
		if !strings.HasSuffix(path, ".lock") {
			n++
		}
	}
	return n
}
