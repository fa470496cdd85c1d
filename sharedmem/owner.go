package sharedmem

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"
	"weak"
)

// owner is what arrays belong to: an arena, a mapped file, or a segment of another process. All its
// arrays hold it, so when it is garbage nobody can use or close it any more, and if it was not closed,
// that is reported.
type owner struct {
	*core
	block *viewBlock // where views are made
	made  int        // how many of it are
}

// core is the part of an owner that the package itself holds. It holds its owner, and the views of its
// arrays, only weakly.
type core struct {
	what   string // `arena "inputs"`
	madeAt site
	logger *slog.Logger
	self   weak.Pointer[owner]

	mu      sync.Mutex
	shut    bool          // closed, or about to be: nobody new may use it
	ended   *ending       // what the last end of its arrays was
	pins    map[*pin]bool // who uses it
	unused  chan struct{} // closed when pins is empty, for Close
	closing sync.Mutex    // one Close at a time
	views   []weak.Pointer[viewBlock]
	locks   map[lockKey]*lock
}

// pin is a use of an array during which its memory must stay.
type pin struct {
	v    *view
	what string // "View"
	at   site
}

func (o *owner) init(what string, logger *slog.Logger) {
	if logger == nil {
		logger = slog.Default()
	}
	o.core = &core{what: what, madeAt: here(), logger: logger, self: weak.Make(o)}
	runtime.AddCleanup(o, (*core).forgotten, o.core)
}

// forgotten reports an owner that can no longer be closed. Its memory stays: slices of it may be in use.
func (c *core) forgotten() {
	c.mu.Lock()
	shut := c.shut
	c.mu.Unlock()
	if !shut {
		c.logger.Warn(fmt.Sprintf("sharedmem: %s, made at %v, was not closed and is out of reach; its memory is held until the program ends", c.what, c.madeAt))
	}
}

// pin makes Close wait. It panics if that is too late.
func (v *view) pin(what string) *pin {
	p := &pin{v: v, what: what, at: here()}
	c := v.owner.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.ended != nil || c.shut {
		panic(v.misuse(what))
	}
	if c.pins == nil {
		c.pins = map[*pin]bool{}
	}
	c.pins[p] = true
	return p
}

func (c *core) unpin(p *pin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pins, p)
	if len(c.pins) == 0 && c.unused != nil {
		close(c.unused)
		c.unused = nil
	}
}

// close lets nobody use the arrays any more, waits for those who do, and then calls release. It
// returns nil at once if that has happened before.
func (c *core) close(patience time.Duration, release func() error) error {
	c.closing.Lock()
	defer c.closing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return nil
	}
	c.shut = true
	if err := c.waitUnused(patience); err != nil {
		c.shut = false
		return err
	}
	c.end(&ending{how: "was closed", at: here()})
	return release()
}

// waitUnused is called with c.mu held, which it gives away while it waits.
func (c *core) waitUnused(patience time.Duration) error {
	if len(c.pins) == 0 {
		return nil
	}
	unused := make(chan struct{})
	c.unused = unused
	c.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-unused:
	case <-timer.C:
	}
	c.mu.Lock()
	c.unused = nil
	return c.busy()
}

// busy returns nil or who is still there.
func (c *core) busy() error {
	if len(c.pins) == 0 {
		return nil
	}
	e := &BusyError{What: c.what}
	for p := range c.pins {
		if p.v == nil {
			e.Holders = append(e.Holders, fmt.Sprintf("%s, called at %v", p.what, p.at))
			continue
		}
		e.Holders = append(e.Holders, fmt.Sprintf("%s of %s, called at %v", p.what, p.v.describe(), p.at))
	}
	return e
}
