package main

import (
	"slices"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// elements compares loops over arrays with the same loops over slices.
func elements(b *bench) *table {
	t := &table{
		title: "A loop over an array, and the same loop over a slice of the heap: time per element",
		head:  []string{"", "read: slice", "array", "array / slice", "write: slice", "array", "array / slice"},
		notes: []string{
			"Reading adds all elements up, writing computes them from their indices. At and Set are compared with s[i], s[i*cols+j], s[(i*n1+j)*n2+k] and, by columns or transposed, s[j*rows+i]; by columns is At(j, i) of the matrix as it lies, transposed is At(i, j) of its T. In the rows of Slice both are the same loop over a slice.",
			"A sum of float64 waits for each addition, and work on an index can hide there. That is not so with int64. 16 KiB fit the first cache.",
			"Where the linker puts a loop of so few instructions matters, up to twice the time: each loop is there eight times, at different places, and all eight are run.",
		},
	}
	for _, e := range []extent{cached, {b.scale(2500, 50), 40, b.scale(100, 10)}} {
		var data twins
		passes := data.passes(e)
		passes = slices.DeleteFunc(passes, func(p pass) bool { return !b.wanted("arrays", p.name) })
		if len(passes) == 0 {
			continue
		}
		data.make(e)
		for _, p := range passes {
			b.racePass(t, p, places*e.size())
		}
		data.release()
	}
	return t
}

// extent is the shape of an array. With its last two axes taken together it is that of a matrix.
type extent struct{ n0, n1, n2 int }

// cached is the extent of an array that fits the first cache.
var cached = extent{16, 8, 16}

func (e extent) size() int { return e.n0 * e.n1 * e.n2 }

// twins are the same elements on the heap and in an arena.
type twins struct {
	arena              *sharedmem.Arena
	slice              []float64
	d1, d2, d3, turned sharedmem.Array[float64] // the same memory in several shapes
	ints               []int64
	whole              sharedmem.Array[int64]
}

// make makes both, and fills them: pages that were never written are all the same page of zeros.
func (d *twins) make(e extent) {
	n, cols := e.size(), e.n1*e.n2
	d.arena = newArena()
	d.slice = numbers(n)
	d.d1 = need(sharedmem.CopyOf(d.arena, d.slice))
	d.d2 = need(d.d1.Reshape(e.n0, cols))
	d.d3 = need(d.d1.Reshape(e.n0, e.n1, e.n2))
	d.turned = d.d2.T()
	if e == cached {
		d.ints = make([]int64, n)
		d.whole = need(sharedmem.CopyOf(d.arena, d.ints, e.n0, cols))
	}
}

func (d *twins) release() {
	arena := d.arena
	*d = twins{}
	tidy(arena)
}

// pass is a loop over all elements, to read them or to write them, in a slice or an array.
type pass struct {
	name                                         string
	readSlice, readArray, writeSlice, writeArray func()
}

// Sums are kept here, so that they have to be computed.
var (
	floatSum float64
	intSum   int64
)

// passes are the loops over arrays of an extent, in all their places.
func (d *twins) passes(e extent) []pass {
	copies := [places][]pass{passesAt[[1]byte](d, e), passesAt[[2]byte](d, e), passesAt[[3]byte](d, e), passesAt[[4]byte](d, e),
		passesAt[[5]byte](d, e), passesAt[[6]byte](d, e), passesAt[[7]byte](d, e), passesAt[[8]byte](d, e)}
	var all []pass
	for k, p := range copies[0] {
		each := func(loop func(p pass) func()) func() {
			return func() {
				for _, passes := range copies {
					loop(passes[k])()
				}
			}
		}
		all = append(all, pass{p.name,
			each(func(p pass) func() { return p.readSlice }), each(func(p pass) func() { return p.readArray }),
			each(func(p pass) func() { return p.writeSlice }), each(func(p pass) func() { return p.writeArray })})
	}
	return all
}

// passesAt are the loops in one place.
func passesAt[P address](d *twins, e extent) []pass {
	n, rows, cols, size := e.size(), e.n0, e.n1*e.n2, bytesText(8*e.size())
	all := []pass{
		{"At and Set, 1-D, " + size,
			func() { floatSum = sumSlice1[P](d.slice, n) }, func() { floatSum = sumArray1[P](d.d1, n) },
			func() { setSlice1[P](d.slice, n) }, func() { setArray1[P](d.d1, n) }},
		{"At and Set, 2-D, " + size,
			func() { floatSum = sumSlice2[P](d.slice, rows, cols) }, func() { floatSum = sumArray2[P](d.d2, rows, cols) },
			func() { setSlice2[P](d.slice, rows, cols) }, func() { setArray2[P](d.d2, rows, cols) }},
		{"At and Set, 3-D, " + size,
			func() { floatSum = sumSlice3[P](d.slice, e.n0, e.n1, e.n2) }, func() { floatSum = sumArray3[P](d.d3, e.n0, e.n1, e.n2) },
			func() { setSlice3[P](d.slice, e.n0, e.n1, e.n2) }, func() { setArray3[P](d.d3, e.n0, e.n1, e.n2) }},
		{"At and Set, by columns, " + size,
			func() { floatSum = sumSliceT[P](d.slice, cols, rows) }, func() { floatSum = sumColumns[P](d.d2, cols, rows) },
			func() { setSliceT[P](d.slice, cols, rows) }, func() { setColumns[P](d.d2, cols, rows) }},
		{"At and Set, transposed, " + size,
			func() { floatSum = sumSliceT[P](d.slice, cols, rows) }, func() { floatSum = sumArray2[P](d.turned, cols, rows) },
			func() { setSliceT[P](d.slice, cols, rows) }, func() { setArray2[P](d.turned, cols, rows) }},
		{"Slice, " + size,
			func() { floatSum = sumSlice1[P](d.slice, n) }, func() { floatSum = sumSlice1[P](d.d1.Slice(), n) },
			func() { setSlice1[P](d.slice, n) }, func() { setSlice1[P](d.d1.Slice(), n) }},
	}
	if e != cached {
		return all // of float64; int64 is there to see the work of the processor
	}
	return append(all,
		pass{"At and Set, 2-D of int64, " + size,
			func() { intSum = sumSliceInts[P](d.ints, rows, cols) }, func() { intSum = sumArrayInts[P](d.whole, rows, cols) },
			func() { setSliceInts[P](d.ints, rows, cols) }, func() { setArrayInts[P](d.whole, rows, cols) }})
}

// racePass adds the row of a pass over n elements.
func (b *bench) racePass(t *table, p pass, n int) {
	turns := max(1, b.scale(200_000, 0)/n) // what is short is repeated, so that the clock counts for nothing
	var trials []trial
	for _, way := range []struct {
		name string
		run  func()
	}{{"read a slice", p.readSlice}, {"read an array", p.readArray}, {"write a slice", p.writeSlice}, {"write an array", p.writeArray}} {
		trials = append(trials, trial{name: way.name, jobs: n * turns, run: func() time.Duration {
			return clocked(func() {
				for range turns {
					way.run()
				}
			})
		}})
	}
	r := b.race("arrays", p.name, trials)
	t.add(p.name, span(r[0].time()), span(r[1].time()), between(ratio(r[1], r[0])),
		span(r[2].time()), span(r[3].time()), between(ratio(r[3], r[2])))
}
