package main

import (
	"context"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// processes compares jobgen's child processes with its goroutines and with Python's pools of processes.
func processes(b *bench) []*table {
	tables := []*table{tinyJobs(b), manyTinyJobs(b), chunksOfOne(b), starts(b)}
	if arraysTravel() {
		tables = append(tables, sharedArrays(b))
	}
	return append(tables, slicesTravel(b)...)
}

// arraysTravel reports whether other processes can see arrays. Under the race detector they cannot.
func arraysTravel() bool {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	check(err)
	defer arena.Close()
	return arena.Stats().Shared
}

var inProcesses, inGoroutines = jobgen.Processes(), jobgen.Goroutines()

func tinyJobs(b *bench) *table {
	n := b.scale(200_000, 2000)
	inputs := floats(n)
	t := &table{
		title: "Processes: tiny jobs, in chunks that each library sizes itself",
		head:  []string{"tiny jobs", "jobs", "time per job", "a run of jobgen / it", "started / it"},
		notes: []string{
			"A job multiplies a number. A run of jobgen starts its processes and ends them, and both count, but not in the row",
			"started: a stream, from its first result to its last. Pools of Python are kept and warm, but where the row says otherwise.",
			"Every process starts as its program does. In the first row that is one with nothing else in it, as the script with the",
			"pools is; in the row that says so it is this one, with all the libraries that are compared here.",
		},
	}
	run := func(o jobgen.Option) func() time.Duration { return doubles(o, inputs) }
	ways := []way{
		b.tiny("tiny, jobgen's processes, a run", "run", n, b.cores),
		{"tiny, jobgen's processes, started", n, func() time.Duration { return after(0, &NewDoubleRunner(inProcesses).Runner, inputs) }},
		{"tiny, jobgen's processes, a run in this program", n, run(inProcesses)},
		{"tiny, jobgen's goroutines, a run", n, run(inGoroutines)},
		{"tiny, jobgen's goroutines, a stream", n, func() time.Duration { return after(0, &NewDoubleRunner(inGoroutines).Runner, inputs) }},
	}
	ways = append(ways, b.pythons(
		b.python("tiny, Pool.map", "pool", n),
		b.python("tiny, Pool.map, with the pool's start", "pool-start", n),
		b.python("tiny, joblib", "joblib", n),
	)...)
	b.versus(t, "processes", "tiny jobs", ways, 2)
	return t
}

// doubles measures a run from its call to its end.
func doubles(o jobgen.Option, inputs []float64) func() time.Duration {
	return func() time.Duration {
		return clocked(func() { need(NewDoubleRunner(o).Run(context.Background(), inputs)) })
	}
}

// manyTinyJobs measures the same where the start of the processes does not weigh much, as it does not in a pool that is
// kept.
func manyTinyJobs(b *bench) *table {
	n := b.scale(2_000_000, 2000)
	inputs := floats(n)
	t := &table{
		title: "Processes: ten times as many tiny jobs",
		head:  []string{"many tiny jobs", "jobs", "time per job", "a run of jobgen / it"},
		notes: []string{"A run of jobgen is with the start and end of its processes, Python's pool is kept and warm."},
	}
	ways := append([]way{
		b.tiny("many tiny, jobgen's processes, a run", "run", n, b.cores),
		{"many tiny, jobgen's goroutines, a run", n, doubles(inGoroutines, inputs)},
	}, b.pythons(b.python("many tiny, Pool.map", "pool", n))...)
	b.versus(t, "processes", "many tiny jobs", ways, 1)
	return t
}

// chunksOfOne measures round trips. A stream with a window of one has one job under way.
func chunksOfOne(b *bench) *table {
	n, slow := b.scale(10_000, 100), b.scale(2000, 20)
	inputs := floats(n)
	long := repeat(b.clock.turns(300*time.Microsecond), slow)
	t := &table{
		title: "Processes: chunks of one job",
		head:  []string{"chunks of one", "jobs", "time per job", "jobgen / it", "one stream / it"},
		notes: []string{
			"jobgen: tiny jobs in a stream with a Window of 1 for each worker, of a process each, from the first results on, for which",
			"the consumer's goroutine waits itself. Jobs of 300 µs are a few to a chunk: what processes take longer than goroutines, per",
			"job; 0 (–) if it is lost in the noise.",
			"ProcessPoolExecutor.map has chunks of one unless told otherwise. All pools are kept and warm. go-plugin: a plugin for each worker, and calls one after the other of each.",
		},
	}
	ways := []way{
		{"one, jobgen, a stream for each worker", n * b.cores, func() time.Duration { return roundTrips(b.cores, inputs) }},
		{"one, jobgen, one stream", n, func() time.Duration { return roundTrips(1, inputs) }},
		{"one, jobgen, 300 µs less the work", slow, func() time.Duration {
			far := after(0, &NewSpinRunner(inProcesses).Runner, long)
			return max(far-after(0, &NewSpinRunner(inGoroutines).Runner, long), 0)
		}},
	}
	ways = append(ways, way{"one, hashicorp/go-plugin, net/rpc", n / 5 * b.cores, func() time.Duration { return pluginCalls(b.cores, n/5) }})
	ways = append(ways, b.pythons(
		b.python("one, ProcessPoolExecutor.map", "executor", b.scale(1000, 50)),
		b.python("one, Pool.map(chunksize=1)", "pool-one", 5000),
	)...)
	b.versus(t, "processes", "chunks of one", ways, 2)
	return t
}

// starts measures a run that is cold: it has to start its processes.
func starts(b *bench) *table {
	t := &table{
		title: "Processes: from the call to the first result of a cold run",
		head:  []string{"start", "jobs", "time", "jobgen / it"},
		notes: []string{
			"fork copies the running interpreter, spawn starts a new program, as jobgen does. Python's end of the pool does not count.",
			"jobgen: in a program with nothing else in it. This one has the start of all the libraries that are compared here.",
		},
	}
	ways := []way{
		b.tiny("start, jobgen", "first", 1, b.cores),
		b.tiny("start, jobgen, one worker", "first", 1, 1),
		b.tiny("start, jobgen, and the end of the run", "run", 1, b.cores),
		{"start, jobgen, in this program", 1, func() time.Duration { return untilFirst(&NewDoubleRunner(inProcesses).Runner, floats(b.cores)) }},
	}
	ways = append(ways, b.pythons(
		b.python("start, Pool, fork", "pool-start", 1),
		b.python("start, ProcessPoolExecutor, fork", "executor-start", 1),
		b.python("start, Pool, spawn", "pool-spawn-start", 1),
	)...)
	b.versus(t, "processes", "start", ways, 1)
	return t
}
