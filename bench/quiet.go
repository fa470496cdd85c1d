package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Other programs on the machine spoil a measurement: with one of two processors taken away there is
// nothing to gain from running jobs at the same time. Where the system tells how busy the machine
// and this program have been (Linux does), a round that others have disturbed is known, and is done
// again.

const (
	disturbance = 0.1                   // of the machine, taken by others during a round, is too much
	tick        = 10 * time.Millisecond // in which the system counts
)

// patience is how long rounds may be repeated, all in all.
type patience struct {
	left     time.Duration
	rounds   int // that count
	repeated int // thrown away
	spoilt   int // that count although they were disturbed
}

// watch is a moment in the life of the machine.
type watch struct {
	at        time.Time
	busy, own int64 // ticks
}

func look() watch { return watch{time.Now(), busyTicks(), ownTicks()} }

// keeps reports whether the round since start counts.
func (p *patience) keeps(start watch) bool {
	end := look()
	elapsed := end.at.Sub(start.at)
	others := time.Duration((end.busy-start.busy)-(end.own-start.own)-2) * tick // 2: rounding
	if float64(others) > disturbance*float64(elapsed)*float64(runtime.NumCPU()) {
		if p.left >= elapsed {
			p.left -= elapsed
			p.repeated++
			return false
		}
		p.spoilt++
	}
	p.rounds++
	return true
}

// busyTicks is how long the machine's processors have not been idle.
func busyTicks() int64 {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 {
		return 0
	}
	return sum(fields[1:4]) + sum(fields[6:9])
}

// ownTicks is how long this program has run, with those of its children that have ended.
func ownTicks() int64 {
	text, _ := os.ReadFile("/proc/self/stat")
	_, rest, _ := strings.Cut(string(text), ") ") // pid (name) state …
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0
	}
	return sum(fields[11:15])
}

func sum(numbers []string) (total int64) {
	for _, n := range numbers {
		x, _ := strconv.ParseInt(n, 10, 64)
		total += x
	}
	return total
}
