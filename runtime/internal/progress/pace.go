package progress

import "time"

// pace measures how fast a count grows now, as opposed to since the start: the first jobs of a run
// are often slower (cold caches) or faster (sorted inputs) than the rest.
//
// It compares with the older of two marks, which is between one and two spans back. A span grows
// with the run, to a quarter of it, so that a run of hour-long jobs which all end in the same second
// is not taken for a fast one.
type pace struct {
	started      time.Time
	older, newer mark
}

type mark struct {
	at    time.Time
	count int64
}

const minSpan = 10 * time.Second

func (p *pace) reset(now time.Time) {
	*p = pace{started: now, older: mark{at: now}, newer: mark{at: now}}
}

// perSecond returns the rate at which count grows, and 0 while it is not known.
func (p *pace) perSecond(now time.Time, count int64) float64 {
	span := max(minSpan, now.Sub(p.started)/4)
	if now.Sub(p.newer.at) >= span {
		p.older, p.newer = p.newer, mark{now, count}
	}
	return rate(count-p.older.count, now.Sub(p.older.at))
}

func rate(count int64, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(count) / elapsed.Seconds()
}
