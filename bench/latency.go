package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// latency measures what must not wait: the first result, the end after a cancel, the end after a failure.
func latency(b *bench) []*table {
	return []*table{firstResults(b), cancels(b), failures(b)}
}

// quitters are the libraries that can be stopped.
func quitters() []*library {
	var list []*library
	for _, l := range libraries() {
		if l.stops {
			list = append(list, l)
		}
	}
	return list
}

func quitterTable(title string, notes ...string) *table {
	t := &table{title: title, head: []string{"", "one job"}, notes: notes}
	for _, l := range quitters() {
		t.head = append(t.head, l.name)
	}
	return t
}

// cancels measures the time from cancelling a map to its return. Jobs do not look at their context,
// so the running ones have to end.
func cancels(b *bench) *table {
	t := quitterTable("Time from cancel to return",
		"The jobs ignore their context: the return waits for those that run (mr does not wait). The context is cancelled from another goroutine or, in the last row, by a job, which goes on for 1 ms.")
	for _, c := range []struct {
		name   string
		length time.Duration
		n      int
		inside bool
	}{
		{"cancel 10 ms jobs", 10 * time.Millisecond, b.scale(40, 8), false},
		{"cancel 1 ms jobs", time.Millisecond, b.scale(400, 40), false},
		{"cancel 1 µs jobs", time.Microsecond, b.scale(200_000, 20_000), false},
		{"cancel 25 ns jobs", 25 * time.Nanosecond, b.scale(4_000_000, 300_000), false},
		{"cancel 1 ms jobs from inside", time.Millisecond, b.scale(400, 40), true},
	} {
		if !b.wanted("latency", c.name) {
			continue
		}
		inputs := repeat(b.clock.turns(c.length), c.n)
		var trials []trial
		for _, l := range quitters() {
			run := func() time.Duration { return cancelled(l, inputs) }
			if c.inside {
				run = func() time.Duration { return cancelledInside(l, inputs) }
			}
			trials = append(trials, trial{name: l.name, jobs: 1, run: run})
		}
		results := b.race("latency", c.name, trials)
		t.add(append([]string{c.name, short(c.length)}, texts(results, func(r *result) string { return span(r.time()) })...)...)
	}
	return t
}

// cancelled returns how long a map goes on after its context was cancelled from outside, once a tenth
// of its jobs are done.
func cancelled(l *library, inputs []int) time.Duration {
	reached, at := make(chan struct{}), make(chan time.Time, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-reached
		start := time.Now()
		cancel()
		at <- start
	}()
	special = func() { close(reached) }
	_, err := l.mapAll(ctx, withSpecial(inputs))
	end := time.Now()
	special = nil
	if err == nil {
		return 0 // it was done before it was cancelled
	}
	return max(end.Sub(<-at), 0)
}

// cancelledInside returns how long a map goes on after one of its jobs has cancelled its context.
func cancelledInside(l *library, inputs []int) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var start time.Time
	special = func() {
		start = time.Now()
		cancel()
	}
	defer func() { special = nil }()
	if _, err := l.mapAll(ctx, withSpecial(inputs)); err == nil {
		panic(fmt.Errorf("%s: a cancelled map returned no error", l.name))
	}
	return time.Since(start)
}

// withSpecial makes a job after the first tenth special.
func withSpecial(inputs []int) []int {
	inputs = slices.Clone(inputs)
	at := len(inputs) / 10
	inputs[at] = -inputs[at]
	return inputs
}

// failures measures the time from the failure of a job to the return of the map.
func failures(b *bench) *table {
	t := quitterTable("Time from a failure to return", "A job fails at once; the return waits for those that run (mr does not wait).")
	for _, c := range []struct {
		name   string
		length time.Duration
		n      int
	}{
		{"fail among 1 ms jobs", time.Millisecond, b.scale(100, 20)},
		{"fail among 1 µs jobs", time.Microsecond, b.scale(50_000, 2000)},
		{"fail among 5 ns jobs", 5 * time.Nanosecond, b.scale(500_000, 20_000)},
	} {
		if !b.wanted("latency", c.name) {
			continue
		}
		inputs := repeat(b.clock.turns(c.length), c.n)
		inputs[c.n/10+1] = -1
		var trials []trial
		for _, l := range quitters() {
			trials = append(trials, trial{name: l.name, jobs: 1, run: func() time.Duration {
				_, err := l.mapAll(context.Background(), inputs)
				end := time.Since(programStart)
				if !errors.Is(err, errJob) {
					panic(fmt.Errorf("%s: the error is %v, not the job's", l.name, err))
				}
				return end - time.Duration(failedAt.Load())
			}})
		}
		results := b.race("latency", c.name, trials)
		t.add(append([]string{c.name, short(c.length)}, texts(results, func(r *result) string { return span(r.time()) })...)...)
	}
	return t
}
