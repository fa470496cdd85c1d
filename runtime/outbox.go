package jobgen

import (
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// quick is how long a result may wait for others, so that those of quick jobs are sent together.
const quick = 100 * time.Microsecond

// outbox sends what became of jobs. What is not sent when the process dies is run again.
type outbox struct {
	w       *proc.Writer
	packing packing
	head    []byte
	left    int // jobs of the chunk that have not ended

	made    time.Time
	sent    time.Duration // when results were last sent, since made …
	looked  time.Duration // … and when the clock was last read
	every   int           // after how many jobs it is read …
	unread  int           // … and how many there have been
	waiting atomic.Bool   // flush will see to the results that wait
	wake    chan struct{}
}

func newOutbox(w *proc.Writer) *outbox {
	return &outbox{w: w, made: time.Now(), wake: make(chan struct{}, 1), every: 1}
}

// begin is called before the first job of a chunk.
func (o *outbox) begin(c Chunk) {
	o.packing.begin(c.First)
	o.left, o.unread = c.Count, 0
	if o.left > 1 {
		o.looked = time.Since(o.made)
		o.sent = o.looked
	}
}

// done takes what became of a job. It is sent at once if others have waited for it, and with the end of the chunk if it
// is the last.
func (o *outbox) done(d *Done) error {
	var content []byte
	o.head, content = o.packing.pack(o.head[:0], d)
	if err := o.w.Add(frameDone, o.head, content); err != nil {
		return err
	}
	switch o.left--; {
	case o.left <= 0:
	case o.late():
		return o.w.Flush()
	case !o.waiting.Load():
		o.waiting.Store(true)
		o.wake <- struct{}{}
	}
	return nil
}

// mostUnread is how many jobs may pass before the clock is read, should the next ones turn out to be slow.
const mostUnread = 16

// late reports whether results have waited for long enough. It reads the clock about once for clockTime of work.
func (o *outbox) late() bool {
	if o.unread++; o.unread < o.every {
		return false
	}
	now := time.Since(o.made)
	perJob := (now - o.looked) / time.Duration(o.unread)
	o.every = min(int(clockTime/max(perJob, 1)), 2*o.every, mostUnread)
	o.every = max(o.every, 1)
	o.looked, o.unread = now, 0
	if now-o.sent <= quick {
		return false
	}
	o.sent = now
	return true
}

// flush sends results that wait for those of further jobs, in case the next job takes long.
func (o *outbox) flush() {
	for range o.wake {
		time.Sleep(quick)
		o.waiting.Store(false)
		sent(o.w.Flush())
	}
}
