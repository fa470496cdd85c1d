package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"time"
)

// bench is one run of the whole program: what was asked for, and the machine's speed.
type bench struct {
	rounds int
	least  time.Duration // a sample repeats what is quicker
	quick  bool
	only   *regexp.Regexp
	cores  int
	clock  clockwork
	others patience
}

// wanted reports whether -run asks for a row.
func (b *bench) wanted(section, row string) bool {
	return b.only == nil || b.only.MatchString(section+"/"+row)
}

// scale returns n, or less of it for a smoke run.
func (b *bench) scale(n, quick int) int {
	if b.quick {
		return quick
	}
	return n
}

// trial is something to be measured: run does it once and returns the time that counts.
type trial struct {
	name string
	jobs int // in one run; the figures are per job
	run  func() time.Duration
}

// result is what a trial came to, one figure for each round.
type result struct {
	name   string
	times  []float64 // nanoseconds per job
	allocs []float64 // per job
}

func (r *result) time() float64 { return median(r.times) }
func (r *result) forget() {
	r.times, r.allocs = r.times[:len(r.times)-1], r.allocs[:len(r.allocs)-1]
}

func (r *result) alloc() float64 { return median(r.allocs) }

// race measures trials against each other, in rounds: A B C, B C A, C A B, … so that noise hits all
// alike and none profits from its place in the row.
func (b *bench) race(section, row string, trials []trial) []*result {
	fmt.Fprintf(os.Stderr, "%s: %s\n", section, row)
	results := make([]*result, len(trials))
	for i, t := range trials {
		results[i] = &result{name: t.name}
	}
	for round := 0; round < b.rounds; {
		start := look()
		for k := range trials {
			i := (round + k) % len(trials)
			b.sample(&trials[i], results[i])
		}
		if b.others.keeps(start) {
			round++
			continue
		}
		for _, r := range results {
			r.forget()
		}
	}
	return results
}

// sample measures one trial once more.
func (b *bench) sample(t *trial, r *result) {
	var before, after runtime.MemStats
	runtime.GC() // what the others have left behind
	runtime.ReadMemStats(&before)
	var counted time.Duration
	runs := 0
	for start := time.Now(); runs == 0 || time.Since(start) < b.least; runs++ {
		counted += t.run()
	}
	runtime.ReadMemStats(&after)
	jobs := float64(runs * t.jobs)
	r.times = append(r.times, float64(counted.Nanoseconds())/jobs)
	r.allocs = append(r.allocs, float64(after.Mallocs-before.Mallocs)/jobs)
}

// ratio compares a with b round by round, and returns the median and the quartiles: a machine that
// slows down for a while slows down both.
func ratio(a, b *result) (mid, low, high float64) {
	q := make([]float64, len(a.times))
	for i := range q {
		q[i] = a.times[i] / b.times[i]
	}
	return median(q), quantile(q, 0.25), quantile(q, 0.75)
}

func median(x []float64) float64 { return quantile(x, 0.5) }

func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	at := q * float64(len(s)-1)
	lo := int(at)
	hi := min(lo+1, len(s)-1)
	return s[lo] + (s[hi]-s[lo])*(at-float64(lo))
}

// clocked runs f and returns how long it took.
func clocked(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
