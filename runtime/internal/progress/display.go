// Package progress shows how far a run is: a bar on a terminal, an occasional line elsewhere.
//
// [Display] owns the place where that is shown, [Stderr] is the one that runs share, and [Bar] counts
// the jobs of one run. A job only adds to two counters; a timer, armed while a run is active, does the
// drawing. So a slow or blocked terminal does not hold up a worker, the remaining time is shown also
// while every worker is busy with a long job, and the last jobs before a pause are not left uncounted
// on the screen.
package progress

import (
	"io"
	"slices"
	"sync"
	"time"
)

const (
	redrawEvery = 100 * time.Millisecond // how often a bar is redrawn on a terminal
	firstLine   = 5 * time.Second        // a run shorter than this writes only its last line
	nextLine    = 10 * time.Second       // between two lines where there is no terminal

	// hold is how long a bar has the line before another one may take it, and how long a nested run
	// lasts before it is shown at all. Many workers that each run short nested runs would otherwise
	// replace the line many times a second, and nobody could read it.
	hold = 2 * time.Second

	defaultWidth = 80
)

// Display shows the bars of all active runs in one place, at most one bar at a time.
//
// The oldest active run is the outermost one; every other run is nested in it. Without a terminal,
// only the outermost run writes lines. On a terminal, the line goes to the most recently started run,
// calmly: that run has lasted for two seconds, and whoever had the line had it for two seconds or is
// done. A nested bar disappears when its run is done, and the outermost one takes its place. The
// outermost bar leaves its last state behind, in a line of its own; when it ends before a nested run,
// the oldest of those becomes the outermost.
//
// Its methods can be called from several goroutines. An error of the writer ends all drawing and is
// reported nowhere: a run must not fail because nobody watches it.
type Display struct {
	w        io.Writer
	terminal bool
	width    func() int

	mu      sync.Mutex
	bars    []*Bar      // the active ones, oldest first
	shown   *Bar        // the one that has the line; nil when none is active
	since   time.Time   // when shown got the line
	line    string      // what stands in the terminal's line now; empty when it is clear
	drawn   time.Time   // when line was written
	writers int         // calls of Around that are at work: nothing is drawn meanwhile
	broken  bool        // w has failed
	timer   *time.Timer // calls tick; nil when no run is active
	due     time.Time   // when the timer rings
}

// NewDisplay returns a display that writes to w, each line or redraw with a single Write.
// On a terminal, width gives its number of columns; it is asked before each redraw, so that a window
// may be resized. A nil width means 80 columns.
func NewDisplay(w io.Writer, terminal bool, width func() int) *Display {
	if width == nil {
		width = func() int { return defaultWidth }
	}
	return &Display{w: w, terminal: terminal, width: width}
}

// Start shows a run of total jobs that begins now; a negative total means that it is not known.
// The caller must call [Bar.Done].
func (d *Display) Start(label string, total int) *Bar {
	now := time.Now()
	b := &Bar{display: d, label: cleanLabel(label), total: int64(total), start: now}
	b.pace.reset(now)

	d.mu.Lock()
	defer d.mu.Unlock()
	d.bars = append(d.bars, b)
	if len(d.bars) > 1 {
		return b // tick decides when it gets the line
	}
	d.give(b, now)
	if d.terminal {
		d.draw(now)
		d.arm(now, redrawEvery)
	} else {
		d.arm(now, firstLine)
	}
	return b
}

// end removes b and says what became of it. It does nothing when b is no longer active.
func (d *Display) end(b *Bar, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.bars, b)
	if i < 0 {
		return
	}
	d.bars = slices.Delete(d.bars, i, i+1)

	now := time.Now()
	outermost := i == 0
	if outermost {
		d.leave(b.last(now, err, d.columns()))
	}
	if len(d.bars) == 0 {
		d.shown = nil
		d.disarm()
		return
	}
	hadLine := d.shown == b
	if hadLine {
		d.give(d.bars[0], now)
	}
	switch {
	case d.terminal && (hadLine || outermost):
		d.draw(now)
	case !d.terminal && outermost:
		d.arm(now, firstLine) // the new outermost run has written nothing yet
	}
}

// tick is what the timer calls: it redraws the line, or writes the next one.
func (d *Display) tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.timer == nil || d.broken || now.Before(d.due) {
		return // a call that came too late: the timer was stopped or set anew since
	}
	if d.terminal {
		d.pass(now)
		d.draw(now)
		d.arm(now, redrawEvery)
	} else {
		d.leave(d.bars[0].plain(now))
		d.arm(now, nextLine)
	}
}

// pass gives the line to the most recently started run, once it is its turn.
func (d *Display) pass(now time.Time) {
	if now.Sub(d.since) < hold {
		return
	}
	for _, b := range slices.Backward(d.bars) {
		if b == d.shown {
			return
		}
		if now.Sub(b.start) >= hold {
			d.give(b, now)
			return
		}
	}
}

func (d *Display) give(b *Bar, now time.Time) {
	d.shown, d.since = b, now
}

// arm makes the timer ring after delay, and then only.
func (d *Display) arm(now time.Time, delay time.Duration) {
	d.due = now.Add(delay)
	if d.timer == nil {
		d.timer = time.AfterFunc(delay, d.tick)
	} else {
		d.timer.Reset(delay)
	}
}

// disarm drops the timer instead of keeping it for the next run, which may live in another
// testing/synctest bubble: a timer cannot leave the bubble that made it.
func (d *Display) disarm() {
	d.timer.Stop()
	d.timer = nil
}
