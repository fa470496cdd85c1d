package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// arrays measures the package sharedmem: what an element costs, and what it costs to make, to copy, to
// hand over and to open an array.
func arrays(b *bench) []*table {
	return []*table{elements(b), births(b), copies(b), handovers(b), arrayCalls(b), files(b)}
}

// manyFloats is how many float64 a large array has: 80 MB of them, far more than fits a cache.
func (b *bench) manyFloats() int { return b.scale(10_000_000, 20_000) }

// way is a row of a table whose rows all do the same, each in another way.
type way struct {
	name string
	jobs int // in one run
	run  func() time.Duration
}

// asks reports whether -run asks for one of the ways. If not, there is no need to prepare for them.
func (b *bench) asks(ways []way) bool {
	return slices.ContainsFunc(ways, func(w way) bool { return b.wanted("arrays", w.name) })
}

// against races those ways that -run asks for, and the first few, the bases, in any case. A row says how long a way
// took, how that compares with the bases, and what more adds.
func (b *bench) against(t *table, race string, ways []way, bases int, more func(*result) string) {
	var trials []trial
	for i, w := range ways {
		if i < bases || b.wanted("arrays", w.name) {
			trials = append(trials, trial(w))
		}
	}
	results := b.race("arrays", race, trials)
	for _, r := range results {
		cells := []string{r.name, span(r.time())}
		for _, base := range results[:bases] {
			cells = append(cells, between(ratio(r, base)))
		}
		if more != nil {
			cells = append(cells, more(r))
		}
		t.add(cells...)
	}
}

func newArena() *sharedmem.Arena { return need(sharedmem.NewArena(sharedmem.ArenaOptions{})) }

// need is for errors that leave nothing to measure: no memory, no place for a file.
func need[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(fmt.Errorf("arrays: %w", err))
	}
}

// tidy gives back what a table has used, so that tables do not add up.
func tidy(arenas ...*sharedmem.Arena) {
	for _, a := range arenas {
		check(a.Close())
	}
	sharedmem.TrimPool()
	runtime.GC()
}

// bytesText writes the size of an array.
func bytesText(n int) string {
	if n >= 1e6 {
		return fmt.Sprintf("%.3g MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.3g KiB", float64(n)/(1<<10))
}
