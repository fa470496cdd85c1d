package main

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"
)

// A job is a number of turns of a loop: busy work for the processor, not sleep, so that what a
// library adds cannot hide behind waiting. All libraries call the same compiled function on the same
// inputs. A negative input is a special job: it calls special if that is set, and then works like any
// other; it fails at once if not.

var errJob = errors.New("the job failed")

// special is set only while nothing runs.
var special func()

// failedAt is when a job last failed, in nanoseconds since programStart.
var failedAt atomic.Int64

var programStart = time.Now()

// try is the job as a function that may fail.
func try(turns int) (uint64, error) {
	if turns < 0 {
		return trySpecial(-turns)
	}
	return spin(turns), nil
}

//go:noinline
func trySpecial(turns int) (uint64, error) {
	if special != nil {
		special()
		return spin(turns), nil
	}
	failedAt.Store(int64(time.Since(programStart)))
	return 0, errJob
}

// spin is the job. Each turn waits for the one before, so that the processor cannot overlap them.
//
//go:noinline
func spin(turns int) uint64 {
	x := uint64(turns)
	for range turns {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// clockwork tells how many turns take how long on this machine.
type clockwork struct {
	few     []float64 // nanoseconds of a job of 0, 1, 2 … turns in a serial loop
	perTurn float64   // of longer ones
}

// calibrate measures the machine. It takes the fastest of several tries: others on the machine can
// only slow it down. Short jobs are measured one by one, since the processor overlaps the end of one
// with the start of the next.
func calibrate() clockwork {
	var c clockwork
	for turns := range 80 {
		c.few = append(c.few, serialCost(turns, 20_000))
	}
	for i := len(c.few) - 1; i > 0; i-- { // more turns never take less
		c.few[i-1] = min(c.few[i-1], c.few[i])
	}
	c.perTurn = (serialCost(2000, 500) - serialCost(1000, 500)) / 1000
	return c
}

// serialCost measures a job in a loop, in nanoseconds.
func serialCost(turns, jobs int) float64 {
	in, best := repeat(turns, jobs), time.Hour
	for range 8 {
		best = min(best, clocked(func() { _, _ = serialMap(context.Background(), in) }))
	}
	return float64(best) / float64(jobs)
}

// turns returns the input of a job that takes d in a serial loop.
func (c clockwork) turns(d time.Duration) int {
	for turns, cost := range c.few {
		if cost >= float64(d) {
			return turns
		}
	}
	last := len(c.few) - 1
	return last + int(math.Round((float64(d)-c.few[last])/c.perTurn))
}

// cost is about what a job takes, in nanoseconds.
func (c clockwork) cost(turns int) float64 {
	if turns < len(c.few) {
		return c.few[turns]
	}
	last := len(c.few) - 1
	return c.few[last] + float64(turns-last)*c.perTurn
}

// repeat returns n equal inputs.
func repeat(turns, n int) []int {
	in := make([]int, n)
	for i := range in {
		in[i] = turns
	}
	return in
}

// ideal returns the best time per job for jobs that take serial each, on average, in a loop, when
// they run on cores at once: an equal share of the work, but not less than the longest job.
func (c clockwork) ideal(serial float64, jobs []int, cores int) float64 {
	longest, sum := 0.0, 0.0
	for _, j := range jobs {
		longest, sum = max(longest, c.cost(j)), sum+c.cost(j)
	}
	return max(serial/float64(cores), serial*longest/sum)
}
