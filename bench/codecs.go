package main

import (
	"fmt"
	"time"
)

// codecs compares the functions that jobgen generates with other encodings, on a struct as jobs have it. All encode
// into a buffer that is used again, where they can, and all decode into a new value, as a worker does.
func codecs(b *bench) []*table {
	var tables []*table
	for _, n := range []int{8, 1000, 100_000} {
		tables = append(tables, codecsOf(b, n))
	}
	return tables
}

func codecsOf(b *bench, n int) *table {
	t := &table{
		title: "Codecs: a struct of " + sizeOf(n) + " float64, a text, a time, a map of 3 and a struct",
		head:  []string{"", "bytes", "encode", "of jobgen's", "allocations", "decode", "of jobgen's", "allocations"},
	}
	var chosen []*codec
	for i, c := range makeCodecs(n) {
		if i == 0 || b.wanted("codecs", rowOf(n, c)) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 1 && !b.wanted("codecs", rowOf(n, chosen[0])) {
		return t
	}
	calls := max(1, b.scale(200_000, 2000)/(n+100))
	race := func(verb string, do func(*codec) error) []*result {
		var trials []trial
		for _, c := range chosen {
			trials = append(trials, trial{name: c.name, jobs: calls, run: func() time.Duration {
				return clocked(func() {
					for range calls {
						if err := do(c); err != nil {
							panic(fmt.Errorf("codecs: %s: %w", c.name, err))
						}
					}
				})
			}})
		}
		return b.race("codecs", fmt.Sprint(verb, " ", n), trials)
	}
	into := race("encode", func(c *codec) error { _, err := c.encode(); return err })
	from := race("decode", func(c *codec) error { return c.decode() })
	for i, c := range chosen {
		t.add(rowOf(n, c), sizeOf(c.bytes),
			span(into[i].time()), between(ratio(into[i], into[0])), count(into[i].alloc()),
			span(from[i].time()), between(ratio(from[i], from[0])), count(from[i].alloc()))
	}
	if n == 8 {
		t.notes = []string{
			"gob: a stream sends its types once, a fresh encoder sends them each time. msgp: what its generator writes in",
			"its fastest form, tuples. jobgen and msgp were generated for the type, gob and json look at it as they go.",
		}
	}
	return t
}

func rowOf(n int, c *codec) string { return fmt.Sprint(n, " ", c.name) }
