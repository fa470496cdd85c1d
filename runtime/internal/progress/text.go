package progress

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	widestBar   = 40
	narrowBar   = 5  // a bar narrower than this says less than its percentage
	restReserve = 27 // columns for the widest ", 9.9/min, 59 min 59 s left"
)

// view is what a line shows of a run: its counters, read once, so that they agree with each other.
type view struct {
	label               string
	total, done, failed int64
}

func (b *Bar) view() view {
	failed := b.failed.Load() // first, so that it is never more than done
	return view{b.label, b.total, b.done.Load(), failed}
}

// bar is the run's line on a terminal, at most columns wide:
//
//	variance  24% [====>..............] 1200/5000, 350/s, 11 s left, 2 failed
func (b *Bar) bar(now time.Time, columns int) string {
	v := b.view()
	return v.drawing(columns, b.rest(now, v.done))
}

// plain is the run's line where there is no terminal:
//
//	variance: 1200 of 5000 (24 %), 350/s, 11 s left, 2 failed
func (b *Bar) plain(now time.Time) string {
	v := b.view()
	return v.sentence(b.rest(now, v.done))
}

// last is the line that stays after the run, in the form of bar, or of plain when columns is 0. Its
// rate is that of the whole run:
//
//	variance: 5000 of 5000 (100 %), 350/s, took 14 s, 2 failed
//	variance: 1200 of 5000 (24 %), 350/s, stopped after 3.4 s
func (b *Bar) last(now time.Time, err error, columns int) string {
	v, elapsed := b.view(), now.Sub(b.start)
	took := "took "
	if err != nil && (v.total < 0 || v.done < v.total) {
		took = "stopped after "
	}
	rest := join(humanRate(rate(v.done, elapsed)), took+humanDuration(elapsed))
	if columns == 0 {
		return v.sentence(rest)
	}
	return v.drawing(columns, rest)
}

// rest is the rate, and how long the run will go on, or has gone on when nobody can know that.
func (b *Bar) rest(now time.Time, done int64) string {
	speed := b.pace.perSecond(now, done)
	if b.total < 0 {
		return join(humanRate(speed), humanDuration(now.Sub(b.start).Truncate(time.Second)))
	}
	return join(humanRate(speed), humanLeft(b.total-done, speed))
}

func (v view) drawing(columns int, rest string) string {
	label := cut(v.label, columns/3)
	failed := v.failures()
	if v.total < 0 {
		return cut(strings.TrimSpace(label+" "+join(strconv.FormatInt(v.done, 10), rest, failed)), columns)
	}
	total := strconv.FormatInt(v.total, 10)
	count := fmt.Sprintf("%*d/%s", len(total), v.done, total)

	// The bar's width depends on nothing that changes from one redraw to the next, except the failures:
	// otherwise it would tremble with every digit of the rate.
	room := columns - columnsOf(label) - len(" 100% [] ") - len(count) - restReserve
	if failed != "" {
		room -= len(", ") + len(failed)
	}
	line := label + gauge(v.percent(), min(room, widestBar)) + " " + join(count, rest, failed)
	return cut(line, columns)
}

func (v view) sentence(rest string) string {
	count := fmt.Sprintf("%d done", v.done)
	if v.total >= 0 {
		count = fmt.Sprintf("%d of %d (%d %%)", v.done, v.total, v.percent())
	}
	text := join(count, rest, v.failures())
	if v.label == "" {
		return text
	}
	return v.label + ": " + text
}

func (v view) failures() string {
	if v.failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d failed", v.failed)
}

// percent is rounded down, so that 100 means that every job has ended.
func (v view) percent() int {
	if v.done >= v.total {
		return 100
	}
	return int(v.done * 100 / v.total)
}

// gauge draws a percentage and a bar of the given width.
//
// A new progressbar draws each state, and its output is taken as text. A lasting one would write to
// the terminal on its own, the line in several pieces, in between the records of a log.
func gauge(percent, width int) string {
	if width < narrowBar {
		return fmt.Sprintf("%4d%%", percent)
	}
	const steps = 10 // aim at the middle of a percent, where progressbar's own rounding does no harm
	p := progressbar.NewOptions(100*steps,
		progressbar.OptionSetWriter(io.Discard),
		progressbar.OptionSetTheme(progressbar.ThemeASCII), // as wide as it seems on every terminal
		progressbar.OptionSetWidth(width),
		progressbar.OptionSetPredictTime(false),
	)
	_ = p.Set(min(percent*steps+steps/2, 100*steps))
	if percent == 0 {
		_ = p.RenderBlank() // which Set leaves out below one percent
	}
	return strings.TrimRight(strings.TrimPrefix(p.String(), "\r"), " ")
}

// join separates what is not empty by commas.
func join(parts ...string) string {
	kept := parts[:0]
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ", ")
}
