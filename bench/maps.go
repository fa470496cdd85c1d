package main

import (
	"context"
	"fmt"
	"time"
)

// equalLoads are jobs of one length each.
func (b *bench) equalLoads() []workload {
	var loads []workload
	for _, l := range []struct {
		length   time.Duration
		n, quick int
	}{
		{5 * time.Nanosecond, 1_000_000, 20_000},
		{25 * time.Nanosecond, 200_000, 10_000},
		{time.Microsecond, 20_000, 2000},
		{10 * time.Microsecond, 4000, 200},
		{100 * time.Microsecond, 600, 20},
		{time.Millisecond, 60, 4},
		{10 * time.Millisecond, 12, 2},
	} {
		n := b.scale(l.n, l.quick)
		loads = append(loads, workload{
			name:   fmt.Sprintf("%s × %s", short(l.length), sizeOf(n)),
			inputs: repeat(b.clock.turns(l.length), n),
		})
	}
	return loads
}

// maps compares maps over slices of equal jobs.
func maps(b *bench) []*table {
	return b.compare("maps", "A map of equal jobs", b.equalLoads(), mapContenders())
}

func mapContenders() []contender {
	var all []contender
	for _, l := range libraries() {
		all = append(all, contender{name: l.name, hand: l.hand, run: func(inputs []int) error {
			_, err := l.mapAll(context.Background(), inputs)
			return err
		}})
	}
	return all
}
