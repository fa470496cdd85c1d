package main

import (
	"fmt"
	"time"
)

// workload is a row of a comparison.
type workload struct {
	name   string
	inputs []int
}

// contender is a column of one: a library, or a way by hand.
type contender struct {
	name string
	hand bool
	run  func(inputs []int) error
}

// compare lets contenders do workloads, and returns tables of times, of ratios and of allocations.
// The first contender is jobgen, the last one the serial loop.
func (b *bench) compare(section, title string, loads []workload, all []contender) []*table {
	times := &table{title: title + ": time per job", head: []string{"", "ideal"}, notes: []string{
		fmt.Sprintf("ideal: the serial loop's time / %d, or the longest job if that is more. Medians of %d rounds.", b.cores, b.rounds),
	}}
	ratios := &table{title: title + ": jobgen's time as a multiple of …",
		head:  []string{"", "ideal", "best peer", "which is", all[1].name, "by hand"},
		notes: []string{"Below 1 jobgen is faster. Medians of the rounds' ratios, and their quartiles. by hand: the best of " + handNames(all) + "."}}
	allocs := &table{title: title + ": allocations per job", head: []string{""}}
	for _, c := range all {
		times.head = append(times.head, c.name)
		allocs.head = append(allocs.head, c.name)
	}
	for _, load := range loads {
		if !b.wanted(section, load.name) {
			continue
		}
		results := b.race(section, load.name, b.trials(load, all))
		best := b.idealResult(results[len(results)-1], load.inputs)
		times.add(append([]string{load.name, span(best.time())}, texts(results, func(r *result) string { return span(r.time()) })...)...)
		allocs.add(append([]string{load.name}, texts(results, func(r *result) string { return count(r.alloc()) })...)...)
		peer, hand := fastest(results, all, false), fastest(results, all, true)
		us := results[0]
		ratios.add(load.name, between(ratio(us, best)), between(ratio(us, peer)), peer.name,
			between(ratio(us, results[1])), between(ratio(us, hand)))
	}
	return []*table{times, ratios, allocs}
}

func (b *bench) trials(load workload, all []contender) []trial {
	var list []trial
	for _, c := range all {
		list = append(list, trial{name: c.name, jobs: len(load.inputs), run: func() time.Duration {
			return clocked(func() {
				if err := c.run(load.inputs); err != nil {
					panic(fmt.Errorf("%s: %w", c.name, err))
				}
			})
		}})
	}
	return list
}

// idealResult is what the serial loop's result could be on all cores.
func (b *bench) idealResult(serial *result, inputs []int) *result {
	r := &result{name: "ideal"}
	for _, t := range serial.times {
		r.times = append(r.times, b.clock.ideal(t, inputs, b.cores))
	}
	return r
}

// fastest returns the result of the fastest peer, or of the fastest way by hand. The serial loop
// does not count, nor does jobgen.
func fastest(results []*result, all []contender, hand bool) *result {
	var best *result
	for i, r := range results[:len(results)-1] {
		if i > 0 && all[i].hand == hand && (best == nil || r.time() < best.time()) {
			best = r
		}
	}
	return best
}

func handNames(all []contender) string {
	names := ""
	for _, c := range all[:len(all)-1] {
		if c.hand {
			if names != "" {
				names += ", "
			}
			names += c.name
		}
	}
	return names
}

func texts(results []*result, text func(*result) string) []string {
	var list []string
	for _, r := range results {
		list = append(list, text(r))
	}
	return list
}
