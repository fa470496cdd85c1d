package sharedmem

import (
	"fmt"
	"weak"
)

// maxDims is how many dimensions an array can have.
const maxDims = 8

// view says how an Array lies in its segment. It does not change, except that it ends with its owner.
//
// At and Set find what they need in the first fields; see index.go.
type view struct {
	step0, step1      int    // elements from one place to the next on the first axes
	spread            int    // the same on the last axis, less 1
	read, write       limits // of At and of Set where they may take the first way; write is all 0 if the array must not be written
	readAny, writeAny limits // the same for both ways

	ended *ending // nil: it can be used

	owner    *owner
	seg      *segment
	elem     *elem
	shape    []int
	strides  []int // elements
	base     int   // in the segment: where the allocation is
	off      int   // in the segment: where element 0 is
	stamp    uint64
	madeAt   site
	readOnly bool
}

// ending is how and where an array came to its end.
type ending struct {
	how string // "was closed"
	at  site
}

// viewBlock is some views that are made together, so that one weak pointer finds them all.
type viewBlock [16]view

// add makes a view of what its shape, strides and place say. parent is the array of which it is a window, or nil.
func (o *owner) add(v view, parent *view) *view {
	v.owner = o
	v.limit()
	o.mu.Lock()
	defer o.mu.Unlock()
	if parent != nil && parent.ended != nil {
		v.end(parent.ended)
	} else if o.shut {
		v.end(&ending{how: "was closed"})
	}
	if o.block == nil || o.made == len(o.block) {
		o.block, o.made = new(viewBlock), 0
		o.remember(weak.Make(o.block))
	}
	at := &o.block[o.made]
	o.made++
	*at = v
	return at
}

// remember keeps track of a block. When the list would have to grow, it drops those that are garbage.
func (c *core) remember(w weak.Pointer[viewBlock]) {
	if len(c.views) == cap(c.views) {
		kept := c.views[:0]
		for _, w := range c.views {
			if w.Value() != nil {
				kept = append(kept, w)
			}
		}
		clear(c.views[len(kept):])
		c.views = kept
	}
	c.views = append(c.views, w)
}

// end makes all views unusable. c.mu is held.
func (c *core) end(e *ending) {
	c.ended = e
	for _, w := range c.views {
		if b := w.Value(); b != nil {
			for i := range b {
				b[i].end(e)
			}
		}
	}
}

func (v *view) end(e *ending) {
	if v.owner == nil || v.ended != nil {
		return // not made yet, or ended before
	}
	v.clear()
	v.ended = e
}

// live panics if the array cannot be used any more, or is none.
func (v *view) live(op string) {
	if v == nil {
		panic(misuse("sharedmem: " + op + " of the zero Array, which is no array; Alloc makes one"))
	}
	if v.ended != nil {
		panic(v.misuse(op))
	}
}

// describe names an array: its type, its shape, and the line that made it.
func (v *view) describe() string {
	return fmt.Sprintf("%v array of shape %s, made at %v", v.elem.typ, shapeText(v.shape), v.madeAt)
}

// misuse is the value of a panic: an error, for those who recover it.
type misuse string

func (m misuse) Error() string { return string(m) }

func (v *view) misuse(op string) misuse {
	if v.ended == nil {
		return misuse(fmt.Sprintf("sharedmem: %s of %s, while %s is being closed", op, v.describe(), v.owner.what))
	}
	return misuse(fmt.Sprintf("sharedmem: %s of %s, after %s", op, v.describe(), v.ended.tell(v.owner.what)))
}

// gone is misuse as an error for callers, who look for [ErrClosed].
func (v *view) gone(op string) error { return goneError{v.misuse(op)} }

type goneError struct{ misuse }

func (goneError) Is(target error) bool { return target == ErrClosed }

func (e *ending) tell(what string) string {
	s := what + " " + e.how
	if e.at.pcs[0] != 0 {
		s += fmt.Sprintf(" at %v", e.at)
	}
	return s
}

// gap is how many elements lie from one place on the last axis to the next.
func (v *view) gap() int { return v.strides[len(v.strides)-1] }
