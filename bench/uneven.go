package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// unevenLoads are jobs of very unequal lengths. They are the same in each run of the program.
func (b *bench) unevenLoads() []workload {
	rng := rand.New(rand.NewPCG(1, 2))
	random := make([]int, b.scale(60, 4))
	for i := range random { // log-uniform from 1 µs to 10 ms, evenly spread and shuffled
		length := math.Pow(1e4, (float64(i)+0.5)/float64(len(random))) * 1e3
		random[i] = b.clock.turns(time.Duration(length))
	}
	up := slices.Clone(random)
	down := slices.Clone(random)
	slices.Reverse(down)
	rng.Shuffle(len(random), func(i, j int) { random[i], random[j] = random[j], random[i] })

	tiny := repeat(b.clock.turns(time.Microsecond), b.scale(20_000, 500))
	slow := b.clock.turns(time.Millisecond)
	giant := 10 * slow
	mixed := repeat(tiny[0], b.scale(600, 20))
	for i := range mixed[:len(mixed)/10] {
		mixed[i] = slow
	}
	together := slices.Clone(mixed)
	rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	last := slices.Clone(together)
	slices.Reverse(last)
	lulled := slices.Concat(repeat(b.clock.turns(5*time.Nanosecond), b.scale(100_000, 5000)), repeat(slow, b.scale(40, 4)))

	size := fmt.Sprintf("%s × 1 µs", sizeOf(len(tiny)))
	return []workload{
		{"1 µs–10 ms, shuffled", random},
		{"1 µs–10 ms, ascending", up},
		{"1 µs–10 ms, descending", down},
		{"10 ms, then " + size, slices.Insert(slices.Clone(tiny), 0, giant)},
		{"10 ms amid " + size, slices.Insert(slices.Clone(tiny), len(tiny)/2, giant)},
		{size + ", then 10 ms", append(slices.Clone(tiny), giant)},
		{"90 % 1 µs, 10 % 1 ms, shuffled", mixed},
		{"10 % 1 ms first", together},
		{"10 % 1 ms last", last},
		{fmt.Sprintf("5 ns × %s, 1 ms × %d", sizeOf(b.scale(100_000, 5000)), b.scale(40, 4)), lulled},
	}
}

// unevenMaps compares maps over slices of very unequal jobs.
func unevenMaps(b *bench) []*table {
	tables := b.compare("uneven", "A map of very unequal jobs", b.unevenLoads(), mapContenders())
	tables[0].notes = append(tables[0].notes,
		"Where a long job comes last, no library that takes jobs in order can reach the ideal, for which one must know the lengths.")
	return tables
}
