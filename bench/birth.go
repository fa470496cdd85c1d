package main

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// births compares what it takes until a new large array is full, and gone again.
func births(b *bench) *table {
	n := b.manyFloats()
	t := &table{
		title: "The birth of " + bytesText(8*n) + ": make or Alloc, fill, let go",
		head:  []string{"", "time", "/ make, cold", "/ make, warm"},
		notes: []string{
			"cold: memory that comes from the system. warm: memory that a slice, or an arena that was closed, has left in this process. A make in a new process takes as long as the cold one.",
			"The time contains Close, of an arena of its own, or Reset. Slices are let go by the garbage collector, which runs between the samples and is not counted; nor is giving cold memory back to the system, but in the row that says so.",
		},
	}
	var (
		touched []float64
		arena   *sharedmem.Arena // which lives on
	)
	onHeap := func() time.Duration {
		return clocked(func() { fill(make([]float64, n)) })
	}
	inArena := func() { check(filledArray(n).Close()) }
	ways := []way{
		{"make, cold", 1, func() time.Duration {
			debug.FreeOSMemory()
			return onHeap()
		}},
		{"make, warm", 1, func() time.Duration {
			fill(make([]float64, n))
			runtime.GC()
			return onHeap()
		}},
		{"Alloc in a cold arena", 1, func() time.Duration {
			sharedmem.TrimPool()
			defer sharedmem.TrimPool()
			return clocked(inArena)
		}},
		{"Alloc in a cold arena, and TrimPool", 1, func() time.Duration {
			sharedmem.TrimPool()
			return clocked(func() {
				inArena()
				sharedmem.TrimPool()
			})
		}},
		{"Alloc in an arena warm from the pool", 1, func() time.Duration {
			inArena()
			defer sharedmem.TrimPool()
			return clocked(inArena)
		}},
		{"Alloc after Reset", 1, func() time.Duration {
			return clocked(func() {
				check(arena.Reset())
				fill(need(sharedmem.Alloc[float64](arena, n)).Slice())
			})
		}},
		{"no birth: a touched slice is filled", 1, func() time.Duration {
			return clocked(func() { fill(touched) })
		}},
	}
	if b.asks(ways) {
		touched, arena = make([]float64, n), filledArray(n)
		fill(touched)
		b.against(t, "birth", ways, 2, nil)
		tidy(arena)
	}
	return t
}

// filledArray makes an arena with an array of n elements that are not zero.
func filledArray(n int) *sharedmem.Arena {
	arena := newArena()
	fill(need(sharedmem.Alloc[float64](arena, n)).Slice())
	return arena
}

//go:noinline
func fill(s []float64) {
	for i := range s {
		s[i] = 1
	}
}
