package main

import (
	"fmt"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// slicesTravel passes slices to jobs and back: copies, which to processes go through shared memory when they are
// large. Where the line is best drawn is what BenchmarkLarge of package runtime/internal/proc measures.
func slicesTravel(b *bench) []*table {
	var tables []*table
	for _, size := range []int{16 << 10, 256 << 10, 4 << 20} {
		if b.quick && size > 16<<10 {
			break
		}
		tables = append(tables, slicesOf(b, size))
	}
	return tables
}

func slicesOf(b *bench, size int) *table {
	text := bytesText(size)
	t := &table{
		title: "Processes: slices of " + text + ", copied to a job or back",
		head:  []string{"slices of " + text, "jobs", "time per job", "to a job / it", "back / it"},
		notes: []string{
			"A stream from its 17th result on. Python's pool has array.array, whose memory is pickled as it is.",
		},
	}
	n := size / 8
	jobs := b.scale(min(64<<20/size, 2000), 4)
	warm := b.scale(16, 1)
	in := again([][]float64{floats(n)}, warm+jobs)
	lengths := repeat(n, warm+jobs)
	ways := []way{
		{fmt.Sprintf("slices, %s, to processes", text), jobs, warmly(warm, in, &NewEndsRunner(inProcesses).Runner)},
		{fmt.Sprintf("slices, %s, back", text), jobs, warmly(warm, lengths, &NewZerosRunner(inProcesses).Runner)},
	}
	ways = append(ways, b.pythons(
		b.python(fmt.Sprintf("slices, %s, to Pool.imap", text), fmt.Sprintf("pool-slice-in-%d", n), jobs),
		b.python(fmt.Sprintf("slices, %s, back, Pool.imap", text), fmt.Sprintf("pool-slice-out-%d", n), jobs),
	)...)
	b.versus(t, "processes", "slices of "+text, ways, 2)
	return t
}

// warmly measures a stream from a result, the nth, on.
func warmly[In, Out any](n int, inputs []In, r *jobgen.Runner[In, Out]) func() time.Duration {
	return func() time.Duration { return after(n, r, inputs) }
}
