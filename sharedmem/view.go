package sharedmem

import (
	"fmt"
	"strings"
	"weak"
)

// maxDims is how many dimensions an array can have.
const maxDims = 8

// view says how an Array lies in its segment. It does not change, except that it ends with its owner.
//
// At and Set find what they need in the first fields; see there.
type view struct {
	// reach[d] is the length of the first axis if the array has d dimensions, and 0 for any other d:
	// one comparison tells a wrong index, a wrong number of indices, and an array that is no more.
	reach [maxDims + 1]uint
	store [maxDims + 1]uint // the same for Set; all 0 if the array must not be written
	step  int               // elements from one place on the first axis to the next; 0 if that is the last axis
	gap   int               // elements from one place on the last axis to the next
	last  []struct{}        // as long as the last axis
	upto  []struct{}        // as long as the last index on it
	rest  []axis            // of arrays with three and more dimensions, but the last; the first adds nothing

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

// axis is one dimension, for a loop over them.
type axis struct {
	upto []struct{} // as long as the last index
	step int        // elements from one place to the next
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
	v.limits()
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

// limits fills in what At and Set look at.
func (v *view) limits() {
	d := len(v.shape)
	if contiguous(v.shape, v.strides) {
		v.strides = rowMajor(v.shape) // also on axes with one place, where it makes no difference
	}
	v.reach[d] = uint(v.shape[0])
	if !v.readOnly {
		v.store[d] = v.reach[d]
	}
	v.last, v.upto = make([]struct{}, v.shape[d-1]), upto(v.shape[d-1])
	v.gap = v.strides[d-1]
	if d > 1 {
		v.step = v.strides[0]
	}
	if d > 2 {
		v.rest = make([]axis, d-1) // the last one is done with
		for k := range v.rest {
			v.rest[k] = axis{upto(v.shape[k]), v.strides[k]}
		}
		v.rest[0].step = 0
	}
}

// upto is a slice whose bound is the last index of n. Such slices take no memory.
func upto(n int) []struct{} { return make([]struct{}, max(n-1, 0)) }

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
	v.reach, v.store = [maxDims + 1]uint{}, [maxDims + 1]uint{}
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

func (e *ending) tell(what string) string {
	s := what + " " + e.how
	if e.at.pcs[0] != 0 {
		s += fmt.Sprintf(" at %v", e.at)
	}
	return s
}

// Error makes a view the value with which At and Set panic. They have told that it cannot be, and leave
// it to this method to find out why.
func (v *view) Error() string {
	if v.ended != nil {
		return string(v.misuse("At or Set"))
	}
	var b strings.Builder
	d := len(v.shape)
	fmt.Fprintf(&b, "sharedmem: index out of range: the first of %d", d)
	if v.shape[0] > 0 {
		fmt.Fprintf(&b, " may be 0 to %d", v.shape[0]-1)
	} else {
		b.WriteString(" cannot be anything, since the array is empty")
	}
	fmt.Fprintf(&b, ", in the %s", v.describe())
	if v.readOnly {
		b.WriteString("; or it was Set, which cannot be here: it is read-only")
	}
	return b.String()
}
