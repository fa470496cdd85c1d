package progress

import (
	"sync/atomic"
	"time"
)

// Bar counts the jobs of one run, from [Display.Start] to [Bar.Done]. A nil *Bar counts nothing and
// shows nothing.
type Bar struct {
	display *Display
	label   string
	total   int64 // negative: not known
	start   time.Time

	done, failed atomic.Int64

	pace pace // guarded by display.mu
}

// Add counts done more jobs that have ended, failed of which with an error. It can be called from
// several goroutines, costs a few nanoseconds, and never draws, waits or allocates.
func (b *Bar) Add(done, failed int) {
	if b == nil {
		return
	}
	b.done.Add(int64(done))
	if failed != 0 {
		b.failed.Add(int64(failed))
	}
}

// Done ends the run: err says why it ended early, and is nil or irrelevant when all its jobs are
// done. Afterwards no timer or goroutine is left that serves this bar, what is added to it is not
// shown, and Done itself does nothing.
func (b *Bar) Done(err error) {
	if b != nil {
		b.display.end(b, err)
	}
}
