package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/sourcegraph/conc/iter"
)

// small measures what a call costs: maps of very few jobs, and maps within jobs of maps.
func small(b *bench) []*table {
	return []*table{calls(b), nested(b)}
}

// calls compares maps of few and tiny jobs. Nothing can be gained by running them at the same time,
// so the figures are what it costs to begin and to end.
func calls(b *bench) *table {
	t := &table{
		title: "One call with few tiny jobs: time, and allocations, of the whole call",
		head:  []string{"", "jobgen / conc Map"},
		notes: []string{"pond and ants keep their goroutines from call to call; the others start them in each."},
	}
	for _, l := range libraries() {
		t.head = append(t.head, l.name)
	}
	for _, n := range []int{1, 10, 100, 1000} {
		name := fmt.Sprintf("%s × 5 ns", sizeOf(n))
		if !b.wanted("small", name) {
			continue
		}
		inputs := repeat(b.clock.turns(5*time.Nanosecond), n)
		var trials []trial
		for _, l := range libraries() {
			trials = append(trials, trial{name: l.name, jobs: 1, run: func() time.Duration {
				return clocked(func() { _, _ = l.mapAll(context.Background(), inputs) })
			}})
		}
		results := b.race("small", name, trials)
		t.add(append([]string{name, between(ratio(results[0], results[1]))},
			texts(results, func(r *result) string { return span(r.time()) })...)...)
		t.add(append([]string{"", "allocations"},
			texts(results, func(r *result) string { return count(r.alloc()) })...)...)
	}
	return t
}

// nested compares maps whose jobs run maps. A pool of limited size cannot do that: its jobs wait for
// places that they hold themselves.
func nested(b *bench) *table {
	t := &table{
		title: "Maps in the jobs of a map: time per inner job",
		head:  []string{"", "ideal", "jobgen", "conc Map", "index", "serial"},
		notes: []string{"pond, ants, errgroup and workerpool hang here when the inner map uses the same pool."},
	}
	for _, w := range []struct{ outer, inner int }{{8, 1000}, {1000, 10}} {
		name := fmt.Sprintf("nested %d × %d × 1 µs", w.outer, w.inner)
		if !b.wanted("small", name) {
			continue
		}
		inputs := repeat(b.clock.turns(time.Microsecond), w.inner)
		outer := make([]struct{}, w.outer)
		ways := []struct {
			name string
			run  func()
		}{
			{"jobgen", func() {
				_, err := jobgen.Map(context.Background(), outer, func(ctx context.Context, _ struct{}) (int, error) {
					out, err := jobgen.Map(ctx, inputs, func(_ context.Context, in int) (uint64, error) { return try(in) })
					return len(out), err
				})
				if err != nil {
					panic(err)
				}
			}},
			{"conc Map", func() {
				iter.Map(outer, func(*struct{}) int {
					return len(iter.Map(inputs, func(in *int) uint64 { return spin(*in) }))
				})
			}},
			{"index", func() {
				var wg sync.WaitGroup
				limit := make(chan struct{}, workers())
				for range outer {
					limit <- struct{}{}
					wg.Go(func() {
						_, _ = indexMap(context.Background(), inputs)
						<-limit
					})
				}
				wg.Wait()
			}},
			{"serial", func() {
				for range outer {
					out, _ := serialMap(context.Background(), inputs)
					runtime.KeepAlive(out)
				}
			}},
		}
		var trials []trial
		for _, way := range ways {
			trials = append(trials, trial{name: way.name, jobs: w.outer * w.inner,
				run: func() time.Duration { return clocked(way.run) }})
		}
		results := b.race("small", name, trials)
		best := results[len(results)-1].time() / float64(b.cores)
		t.add(append([]string{name, span(best)}, texts(results, func(r *result) string { return span(r.time()) })...)...)
	}
	return t
}
