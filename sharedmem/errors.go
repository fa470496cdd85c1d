package sharedmem

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// ErrClosed is the error of a call that needs an arena, a file or an attached segment that was closed.
var ErrClosed = errors.New("it was closed")

// TypeError is the error of a type that cannot be the element of an array, because another process
// could not follow the pointers in it.
type TypeError struct {
	Type   reflect.Type
	Path   string // to the part that cannot be shared: "stats.Sample.Name"
	Reason string // "is a string, …"
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("sharedmem: arrays hold numbers, bools, and structs and arrays of these: %s %s", e.Path, e.Reason)
}

// ShapeError is the error of shapes that do not fit, or of a shape that no array can have.
type ShapeError struct {
	Op     string // what was asked for: "Reshape"
	Have   []int  // the shape that is there; nil if there is none
	Want   []int  // the shape that was asked for
	Reason string
}

func (e *ShapeError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sharedmem: %s: ", e.Op)
	if e.Have != nil {
		fmt.Fprintf(&b, "shape %s does not go with shape %s", shapeText(e.Want), shapeText(e.Have))
	} else {
		fmt.Fprintf(&b, "there is no array of shape %s", shapeText(e.Want))
	}
	fmt.Fprintf(&b, ": %s", e.Reason)
	return b.String()
}

// shapeText writes a shape as NumPy does: (3, 4).
func shapeText(shape []int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, n := range shape {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	if len(shape) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}

// BudgetError is the error of an allocation for which there is no memory: the arena's MaxBytes, or
// the machine's. The arena is as it was before.
type BudgetError struct {
	Arena string // its name
	Need  int64  // the bytes that were asked for
	InUse int64  // the bytes of the arena's arrays

	// Limit is the arena's MaxBytes if that is what stands in the way, 0 otherwise.
	Limit int64

	// Available is what the machine, or this process's control group, had left when it was asked; 0 if
	// that is not known.
	Available int64

	Err error // the system's own error, if it was asked for the memory and refused
}

func (e *BudgetError) Error() string {
	s := fmt.Sprintf("sharedmem: no memory for %s in %s, whose arrays take %s: ", size(e.Need), e.Arena, size(e.InUse))
	switch {
	case e.Limit > 0:
		return s + fmt.Sprintf("its MaxBytes is %s", size(e.Limit))
	case e.Err != nil:
		return s + e.Err.Error()
	}
	return s + fmt.Sprintf("the machine has %s available", size(e.Available))
}

// Unwrap returns Err.
func (e *BudgetError) Unwrap() error { return e.Err }

// BusyError is the error of Close and Reset when something is still being used: an array inside View, or locked.
type BusyError struct {
	What    string   // what could not be closed: `arena "inputs"`
	Holders []string // who uses what: "View of float64 (3, 4) made at main.go:7, called at main.go:9"
}

func (e *BusyError) Error() string {
	const shown = 4
	holders := e.Holders
	more := ""
	if len(holders) > shown {
		more = fmt.Sprintf("; and %d more", len(holders)-shown)
		holders = holders[:shown]
	}
	return fmt.Sprintf("sharedmem: %s is still in use, and stays as it was: %s%s", e.What, strings.Join(holders, "; "), more)
}

// HandleError is the error of a handle that does not lead to an array: it is damaged, or what it led to is gone.
type HandleError struct{ Reason string }

func (e *HandleError) Error() string { return "sharedmem: the handle of an array: " + e.Reason }

// FaultError is the error of an access to memory that is there no longer, or that must not be
// written: through a slice that was kept when its arena was closed, to a read-only array, or to a file
// that was cut short while it was mapped. View returns it, [Explain] makes it of a panic.
type FaultError struct {
	What string // the memory: `arena "inputs" was closed at main.go:9`
	Addr uintptr
	Err  error // the runtime's own error
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("sharedmem: fault at address %#x: %s", e.Addr, e.What)
}

// Unwrap returns Err.
func (e *FaultError) Unwrap() error { return e.Err }

// size writes a number of bytes for people.
func size(n int64) string {
	switch f := float64(n); {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case f < 1e6:
		return fmt.Sprintf("%.1f kB", f/1e3)
	case f < 1e9:
		return fmt.Sprintf("%.1f MB", f/1e6)
	default:
		return fmt.Sprintf("%.1f GB", f/1e9)
	}
}
