package jobgen

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// quick is how long a result may wait for others, so that those of quick jobs are sent together; and quickInRun is how
// long if that is no result of a stream, for which somebody may be waiting.
const (
	quick      = 100 * time.Microsecond
	quickInRun = time.Millisecond
)

// outbox sends what became of jobs. What is not sent when the process dies is run again.
type outbox struct {
	w    *proc.Writer
	left int // jobs of the chunk that have not ended

	together bool       // small results are gathered, and sent as one entry
	gathered gathered   // those that are
	mu       sync.Mutex // of what follows, and of gathered's part of it
	packing  packing
	head     []byte

	quick   time.Duration
	made    time.Time
	sent    time.Duration // when results were last sent, since made …
	looked  time.Duration // … and when the clock was last read
	every   int           // after how many jobs it is read …
	unread  int           // … and how many there have been
	waiting atomic.Bool   // flush will see to the results that wait
	wake    chan struct{}
}

func newOutbox(w *proc.Writer) *outbox {
	return &outbox{w: w, made: time.Now(), wake: make(chan struct{}, 1), every: 1, quick: quick}
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

// end is called when the last job has ended, or when no further one will be run. What became of the jobs is sent with the
// next frame.
func (o *outbox) end() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.gathered.reset()
	return o.packGathered()
}

// done takes what became of a job. It is sent at once if others have waited for it, and with the end of the chunk if it
// is the last.
func (o *outbox) done(d *Done) error {
	if err := o.add(d); err != nil {
		return err
	}
	switch o.left--; {
	case o.left <= 0:
	case o.late():
		return o.send()
	case !o.waiting.Load():
		o.waiting.Store(true)
		o.wake <- struct{}{}
	}
	return nil
}

func (o *outbox) add(d *Done) error {
	if o.together && d.Err == nil && d.Start.IsZero() && len(d.Result) <= smallResult {
		if o.gathered.add(d) {
			return nil
		}
		if err := o.end(); err != nil {
			return err
		}
		o.gathered.add(d)
		return nil
	}
	if !o.together {
		return o.pack(d)
	}
	if err := o.end(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pack(d)
}

// pack adds an entry to those that are sent with the next frame.
func (o *outbox) pack(d *Done) error {
	var content []byte
	o.head, content = o.packing.pack(o.head[:0], d)
	return o.w.Add(frameDone, o.head, content)
}

// packGathered makes an entry of what was gathered since the last one. o.mu is held.
func (o *outbox) packGathered() error {
	d := o.gathered.take()
	if d.Count == 0 {
		return nil
	}
	return o.pack(&d)
}

// send sends all that there is.
func (o *outbox) send() error {
	if o.together {
		o.mu.Lock()
		err := o.packGathered()
		o.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return o.w.Flush()
}

// gathered is the results of consecutive jobs, one after the other. One goroutine adds them; another may take those that are
// there at any time, for which neither waits: a lock would take longer than a quick job.
type gathered struct {
	first int
	buf   [mostGathered]byte

	count, size int          // what was added, for the goroutine that does
	added       atomic.Int64 // the same for the other one: count, and in the low bits the size

	taken, from int // what of it was taken, of those who hold the outbox's lock
}

const (
	mostGathered = 16 << 10
	smallResult  = 1 << 10 // one that is larger is not worth another copy
	sizeBits     = 32
)

// add adds a result, and reports false if it cannot be added to those that are there.
func (g *gathered) add(d *Done) bool {
	if g.count > 0 && d.Index != g.first+g.count || len(d.Result) > len(g.buf)-g.size {
		return false
	}
	if g.count == 0 {
		g.first = d.Index
	}
	g.count++
	g.size += copy(g.buf[g.size:], d.Result)
	if added := int64(g.count)<<sizeBits | int64(g.size); proc.StoresInOrder {
		jot(&g.added, added)
	} else {
		g.added.Store(added)
	}
	return true
}

// take returns what has been added since the last time.
func (g *gathered) take() Done {
	added := g.added.Load()
	count, size := int(added>>sizeBits), int(added&(1<<sizeBits-1))
	if count == g.taken {
		return Done{}
	}
	d := Done{Index: g.first + g.taken, Count: count - g.taken, Result: g.buf[g.from:size]}
	g.taken, g.from = count, size
	return d
}

// reset forgets what was taken. It is for the goroutine that adds, with the lock.
func (g *gathered) reset() {
	g.count, g.size, g.taken, g.from = 0, 0, 0, 0
	g.added.Store(0)
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
	if now-o.sent <= o.quick {
		return false
	}
	o.sent = now
	return true
}

// flush sends results that wait for those of further jobs, in case the next job takes long.
func (o *outbox) flush() {
	for range o.wake {
		time.Sleep(o.quick)
		o.waiting.Store(false)
		sent(o.send())
	}
}
