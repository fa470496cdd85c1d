package sharedmem

import "runtime/debug"

// View calls f with the elements, in the array's own memory, and returns its error. Until f returns,
// Close of the arena waits. f must not keep the slice.
//
// A fault in the memory of this package while f runs is returned as a [*FaultError], where it would
// otherwise end the program: a write to an array that is read-only, a file that somebody has cut short.
// View panics as [Array.Slice] does. It costs some hundred nanoseconds, and may be called concurrently.
func (a Array[T]) View(f func(s []T) error) error {
	a.v.live("View")
	s := a.Slice()
	return a.v.use("View", func() error { return f(s) })
}

// use calls f while nobody can close the array, and makes a fault in it an error.
func (v *view) use(op string, f func() error) (err error) {
	p := v.pin(op)
	defer v.owner.unpin(p)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if err = Explain(r); err == nil {
				panic(r) // f's own
			}
		}
	}()
	return f()
}

// Explain returns a [*FaultError] if the value of a panic is a fault in memory of this package, and nil
// if it is anything else. The runtime only panics on a fault when debug.SetPanicOnFault is on, as it is
// in View and in the jobs of package jobgen.
func Explain(panicked any) error {
	e, ok := panicked.(interface {
		error
		Addr() uintptr
	})
	if !ok {
		return nil
	}
	what, ok := segmentAt(e.Addr())
	if !ok {
		return nil
	}
	return &FaultError{What: what, Addr: e.Addr(), Err: e}
}
