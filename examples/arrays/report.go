package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// row is what was measured of a way.
type row struct {
	way             string
	make, copy, run stopwatch
	heapBefore      int64
	heap            int64 // the most that was seen, beside heapBefore
	arena           sharedmem.ArenaStats
	variances       []float64
	filled, ran     place
}

// place is where jobs were run.
type place struct {
	workers int
	backend string
}

func (p place) String() string { return fmt.Sprintf("%s (%s)", count(p.workers, "worker"), p.backend) }

// stopwatch adds up times.
type stopwatch time.Duration

func (s *stopwatch) time(f func() error) error {
	start := time.Now()
	err := f()
	*s += stopwatch(max(time.Since(start), 1)) // zero is for what was not done
	return err
}

func (s stopwatch) String() string {
	if s == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f s", time.Duration(s).Seconds())
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (r *row) noteHeap() { r.heap = max(r.heap, heapInUse()-r.heapBefore) }

// bytes is the size of n of the arrays.
func (p plan) bytes(n int) float64 { return float64(n) * float64(p.length) * 8 }

const format = "  %-6s %9v %9v %9v %9v  %9s %9s %9s\n"

func (p plan) printTitle(w io.Writer) {
	fmt.Fprintf(w, "%s of %s float64, %s each, %s together\n\n",
		count(p.n, "array"), group(p.length), size(p.bytes(1)), size(p.bytes(p.n)))
}

func printHead(w io.Writer) {
	fmt.Fprintf(w, format, "", "make", "copy", "run", "in all", "copied", "heap", "arena")
}

func (r *row) print(w io.Writer) {
	fmt.Fprintf(w, format, r.way, r.make, r.copy, r.run, r.make+r.copy+r.run,
		size(float64(r.arena.Copied)), size(float64(r.heap)), size(float64(r.arena.Committed)))
}

// printResults prints the first of the variances. Its error is that they differ between the ways.
func printResults(w io.Writer, rows []*row) error {
	first := rows[0]
	title := "The variances:"
	for _, r := range rows[1:] {
		if i := difference(first.variances, r.variances); i >= 0 {
			return fmt.Errorf("the results differ: array %d has the variance %v in the way %s, and %v in the way %s",
				i, first.variances[i], first.way, r.variances[i], r.way)
		}
		title = "The variances, the same in each way bit for bit:"
	}
	fmt.Fprintf(w, "\n%s\n ", title)
	for i, v := range first.variances {
		if i == 3 {
			fmt.Fprint(w, " …")
			break
		}
		fmt.Fprintf(w, " %.16f", v)
	}
	fmt.Fprintln(w)
	return nil
}

// printNotes prints what has to be known of the table.
func (p plan) printNotes(w io.Writer, rows []*row) {
	printPlaces(w, rows)
	fmt.Fprintln(w, "Under heap and arena is the most that was held of each.")
	if slices.ContainsFunc(rows, func(r *row) bool { return r.ran.backend == "processes" }) {
		fmt.Fprintln(w, "What travels to the processes, and their own memory, is not in it.")
	}
	if slices.ContainsFunc(rows, func(r *row) bool { return r.arena.Copied > 0 }) {
		fmt.Fprintln(w, "\nFor copied, one goroutine copies, and each array is dropped from the heap before")
		fmt.Fprintf(w, "the next is made. To have all of them there first would take %s.\n", size(p.bytes(2*p.n)))
	}
	if slices.ContainsFunc(rows, func(r *row) bool { return r.arena.Arrays > 0 && !r.arena.Shared }) {
		fmt.Fprint(w, notShared)
	}
}

// printPlaces prints where the jobs ran: in a line, if that was the same kind of place for all.
func printPlaces(w io.Writer, rows []*row) {
	most, same := place{backend: rows[0].ran.backend}, true
	for _, r := range rows {
		most.workers = max(most.workers, r.filled.workers, r.ran.workers)
		same = same && r.filled.backend == most.backend && r.ran.backend == most.backend
	}
	fmt.Fprintln(w)
	if same {
		fmt.Fprintf(w, "%v filled the arrays and ran the jobs.\n", most)
		return
	}
	for _, r := range rows {
		fmt.Fprintf(w, "  %-6s filled by %v, run by %v\n", r.way, r.filled, r.ran)
	}
	fmt.Fprintln(w)
}

const notShared = `
Arenas are on the heap here, which therefore counts them too, and other
processes cannot see them: that is so under the race detector, and on systems
without shared memory.
`

// difference returns the first place where two lists of results differ in a bit, or -1.
func difference(a, b []float64) int {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return i
		}
	}
	return -1
}
