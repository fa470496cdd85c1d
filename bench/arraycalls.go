package main

import (
	"sync"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// arrayCalls measures calls that do nothing with the elements.
func arrayCalls(b *bench) *table {
	t := &table{
		title: "Calls of an array's methods: time, and allocations, per call or pair of calls",
		head:  []string{"", "time", "allocations"},
		notes: []string{"Nobody else wants the locks. Those of an array are seen by all processes; sync's are there to compare."},
	}
	var (
		arena *sharedmem.Arena
		array sharedmem.Array[float64]
		mutex sync.Mutex
		rw    sync.RWMutex
		total int
	)
	calls := []struct {
		name string
		call func()
	}{
		{"Slice", func() { total += len(array.Slice()) }},
		{"View", func() { check(array.View(func([]float64) error { return nil })) }},
		{"Rows", func() { array.Rows(3, 5) }},
		{"Sub", func() { array.Sub(3) }},
		{"Lock, Unlock", func() { array.Lock(); array.Unlock() }},
		{"RLock, RUnlock", func() { array.RLock(); array.RUnlock() }},
		{"sync.Mutex", func() { mutex.Lock(); total++; mutex.Unlock() }},
		{"sync.RWMutex, RLock", func() { rw.RLock(); total++; rw.RUnlock() }},
	}
	n := b.scale(1000, 10)
	var ways []way
	for _, c := range calls {
		ways = append(ways, way{c.name, n, func() time.Duration {
			return clocked(func() {
				for range n {
					c.call()
				}
			})
		}})
	}
	if b.asks(ways) {
		arena = newArena()
		array = need(sharedmem.Alloc[float64](arena, 1000, 10))
		b.against(t, "calls", ways, 0, func(r *result) string { return count(r.alloc()) })
		tidy(arena)
	}
	return t
}
