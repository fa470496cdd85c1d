package main

import (
	"context"
	"slices"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// chosen are those ways that -run asks for, and the first few in any case; nil if it asks for none.
func (b *bench) chosen(section string, ways []way, bases int) []trial {
	wanted := func(w way) bool { return b.wanted(section, w.name) }
	if !slices.ContainsFunc(ways, wanted) {
		return nil
	}
	var trials []trial
	for i, w := range ways {
		if i < bases || wanted(w) {
			trials = append(trials, trial(w))
		}
	}
	return trials
}

// versus races ways, and says what the time of each of the bases is as a multiple of every other's.
func (b *bench) versus(t *table, section, race string, ways []way, bases int) {
	trials := b.chosen(section, ways, bases)
	if trials == nil {
		return
	}
	results := b.race(section, race, trials)
	for i, r := range results {
		cells := []string{r.name, sizeOf(trials[i].jobs), span(r.time())}
		switch {
		case r.time() < 0:
			cells = []string{r.name, "", "not installed"}
		case slices.Min(r.times) > 0: // or it is lost in the noise
			for _, base := range results[:bases] {
				cells = append(cells, between(ratio(base, r)))
			}
		}
		t.add(cells...)
	}
}

// roundTrips sends the inputs through as many streams at once, each with one job under way.
func roundTrips(streams int, inputs []float64) time.Duration {
	all := make([]chan time.Time, streams)
	ready, begin := make(chan bool), make(chan bool)
	for i := range all {
		all[i] = make(chan time.Time, 1)
		go func() {
			n := 0
			r := NewDoubleRunner(inProcesses, jobgen.Workers(1), jobgen.Window(1))
			for _, err := range r.Stream(context.Background(), slices.Values(append(inputs[:1:1], inputs...))) {
				check(err)
				if n++; n == 1 {
					ready <- true
					<-begin
				}
				if n > len(inputs) {
					all[i] <- time.Now()
				}
			}
			close(all[i])
		}()
	}
	for range all {
		<-ready
	}
	start, end := time.Now(), time.Time{}
	close(begin)
	for _, c := range all {
		if at := <-c; at.After(end) {
			end = at
		}
		<-c // until its processes have ended
	}
	return end.Sub(start)
}

// untilFirst returns how long a stream takes to hand on its first result.
func untilFirst[In, Out any](r *jobgen.Runner[In, Out], inputs []In) (first time.Duration) {
	start := time.Now()
	for _, err := range r.Stream(context.Background(), slices.Values(inputs)) {
		check(err)
		if first == 0 {
			first = time.Since(start)
		}
	}
	return first
}

// after returns how long a stream takes from a result, the nth, to its last: when all is warm.
func after[In, Out any](n int, r *jobgen.Runner[In, Out], inputs []In) time.Duration {
	var start, last time.Time
	seen := 0
	for _, err := range r.Stream(context.Background(), slices.Values(inputs)) {
		check(err)
		if last = time.Now(); seen == n {
			start = last
		}
		seen++
	}
	return last.Sub(start)
}

func floats(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(i)
	}
	return s
}
