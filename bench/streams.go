package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// streams compares streams whose results are handed on in order.
func streams(b *bench) []*table {
	loads := b.equalLoads()[:6] // a stream of 10 ms jobs has nothing to add
	for _, u := range b.unevenLoads() {
		switch u.name {
		case "1 µs–10 ms, shuffled", "90 % 1 µs, 10 % 1 ms, shuffled", "10 % 1 ms last":
			loads = append(loads, u)
		}
	}
	tables := b.compare("streams", "A stream in order", loads, streamContenders())
	tables[0].notes = append(tables[0].notes,
		"channels: by hand, a channel for each result, in a queue. The other libraries have no ordered stream.")
	return tables
}

func streamContenders() []contender {
	var all []contender
	for _, l := range streamLibraries() {
		all = append(all, contender{name: l.name, hand: l.hand, run: func(inputs []int) error {
			n := 0
			err := l.each(context.Background(), inputs, func(uint64) { n++ })
			if err == nil && n != len(inputs) {
				err = errors.New("results are missing")
			}
			return err
		}})
	}
	return all
}

// firstResults measures how long a stream takes to hand on its first result.
func firstResults(b *bench) *table {
	t := &table{
		title: "Time to the first result of a stream",
		head:  []string{"", "one job"},
		notes: []string{"From the call to the first result handed on; medians."},
	}
	for _, l := range streamLibraries() {
		t.head = append(t.head, l.name)
	}
	for _, load := range []workload{
		{"first of 1 ms jobs", repeat(b.clock.turns(time.Millisecond), b.scale(16, 4))},
		{"first of 1 µs jobs", repeat(b.clock.turns(time.Microsecond), b.scale(10_000, 100))},
		{"first of 5 ns jobs", repeat(b.clock.turns(5*time.Nanosecond), b.scale(20_000, 100))},
	} {
		if !b.wanted("latency", load.name) {
			continue
		}
		var trials []trial
		for _, l := range streamLibraries() {
			trials = append(trials, trial{name: l.name, jobs: 1, run: func() time.Duration {
				var first time.Duration
				start := time.Now()
				err := l.each(context.Background(), load.inputs, func(uint64) {
					if first == 0 {
						first = time.Since(start)
					}
				})
				if err != nil {
					panic(fmt.Errorf("%s: %w", l.name, err))
				}
				return first
			}})
		}
		results := b.race("latency", load.name, trials)
		row := []string{load.name, span(b.clock.cost(load.inputs[0]))}
		t.add(append(row, texts(results, func(r *result) string { return span(r.time()) })...)...)
	}
	return t
}
