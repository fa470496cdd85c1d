package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Other programs on the machine spoil a measurement: with one of two processors taken away there is
// nothing to gain from running jobs at the same time. The system counts how long the threads of this
// program were ready to run and did not get a processor, so such a sample is known, and taken again.

const disturbance = 0.03 // of a sample's time, which its threads spent waiting: more is too much

// patience is how long samples may be repeated, all in all.
type patience struct {
	left     time.Duration
	repeated int // samples thrown away
	spoilt   int // samples kept although they were disturbed
	samples  int
}

// keeps reports whether a sample that took elapsed, during which threads waited for delay, counts.
func (p *patience) keeps(elapsed, delay time.Duration) bool {
	if float64(delay) > disturbance*float64(elapsed) {
		pause := min(elapsed, 50*time.Millisecond)
		if p.left >= elapsed+pause {
			p.left -= elapsed + pause
			p.repeated++
			time.Sleep(pause)
			return false
		}
		p.spoilt++
	}
	p.samples++
	return true
}

// waited is how long the threads of this program have been waiting for a processor. Where the system
// does not tell, it is 0.
func waited() time.Duration {
	files, _ := filepath.Glob("/proc/self/task/*/schedstat")
	var sum time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		if fields := strings.Fields(string(text)); len(fields) >= 2 {
			ns, _ := strconv.ParseInt(fields[1], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}
