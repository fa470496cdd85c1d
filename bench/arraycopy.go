package main

import (
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// copies compares ways to copy a large slice.
func copies(b *bench) *table {
	n := b.manyFloats()
	t := &table{
		title: "A copy of a slice of " + bytesText(8*n),
		head:  []string{"", "time", "/ copy", "/ slices.Clone, cold", "GB/s"},
		notes: []string{"cold and warm are those of the table before, and CopyOf's time contains Close or Reset, too. GB/s: bytes copied, each counted once."},
	}
	var (
		src, dst []float64
		arena    *sharedmem.Arena // which lives on
	)
	clone := func() time.Duration {
		return clocked(func() { runtime.KeepAlive(slices.Clone(src)) })
	}
	inArena := func() {
		a := newArena()
		need(sharedmem.CopyOf(a, src))
		check(a.Close())
	}
	ways := []way{
		{"copy into a slice that was touched", 1, func() time.Duration {
			return clocked(func() { copy(dst, src) })
		}},
		{"slices.Clone, cold", 1, func() time.Duration {
			debug.FreeOSMemory()
			return clone()
		}},
		{"slices.Clone, warm", 1, func() time.Duration {
			runtime.KeepAlive(slices.Clone(src))
			runtime.GC()
			return clone()
		}},
		{"CopyOf into a cold arena", 1, func() time.Duration {
			sharedmem.TrimPool()
			defer sharedmem.TrimPool()
			return clocked(inArena)
		}},
		{"CopyOf into an arena warm from the pool", 1, func() time.Duration {
			inArena()
			defer sharedmem.TrimPool()
			return clocked(inArena)
		}},
		{"CopyOf after Reset", 1, func() time.Duration {
			return clocked(func() {
				check(arena.Reset())
				need(sharedmem.CopyOf(arena, src))
			})
		}},
	}
	if b.asks(ways) {
		src, dst, arena = numbers(n), numbers(n), filledArray(n)
		b.against(t, "copy", ways, 2, func(r *result) string { return digits(float64(8*n) / r.time()) })
		tidy(arena)
	}
	return t
}
