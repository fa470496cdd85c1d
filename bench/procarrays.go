package main

import (
	"context"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// sharedArrays passes arrays to jobs: to processes as handles of a few bytes.
func sharedArrays(b *bench) *table {
	arrays, n := b.scale(4, 15), b.scale(10_000_000, 1_000_000)
	warm, passes := b.scale(8, 1), b.scale(5, 1) // through all arrays, until each process has seen each of them
	t := &table{
		title: "Processes: the variances of " + sizeOf(arrays) + " arrays of " + bytesText(8*n) + ", born in one arena",
		head:  []string{"arrays", "jobs", "time per job", "processes / it", "a run of processes / it"},
		notes: []string{
			"warm: a stream that goes through the arrays again and again, in which the first times do not count. A run goes",
			"through them once, in new processes that have to open the arena and to map its pages. The pages were all written before.",
		},
	}
	var inputs []sharedmem.Array[float64]
	warmly := func(o jobgen.Option) func() time.Duration {
		return func() time.Duration {
			all := again(inputs, warm+passes)
			return after(warm*arrays-1, &NewVarianceRunner(o).Runner, all)
		}
	}
	run := func(o jobgen.Option) func() time.Duration {
		return func() time.Duration {
			return clocked(func() { need(NewVarianceRunner(o).Run(context.Background(), inputs)) })
		}
	}
	ways := []way{
		{"arrays, processes, warm", passes * arrays, warmly(inProcesses)},
		{"arrays, processes, a run", arrays, run(inProcesses)},
		{"arrays, goroutines, warm", passes * arrays, warmly(inGoroutines)},
		{"arrays, goroutines, a run", arrays, run(inGoroutines)},
	}
	if b.chosen("processes", ways, 0) == nil {
		return t
	}
	arena := newArena()
	for range arrays {
		a := need(sharedmem.Alloc[float64](arena, n))
		fill(a.Slice())
		inputs = append(inputs, a)
	}
	b.versus(t, "processes", "arrays", ways, 2)
	tidy(arena)
	return t
}

// again returns all of s, times over.
func again[T any](s []T, times int) (all []T) {
	for range times {
		all = append(all, s...)
	}
	return all
}
