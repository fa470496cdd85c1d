package sharedmem

import (
	"iter"
	"slices"
)

// Array is an n-dimensional array of T in memory that other processes can see, in an [Arena] or a
// mapped file. It is a small handle: copies of it are the same array, and its encoding is some tens of
// bytes, whatever its size.
//
// T is a number, a bool, or a struct or Go array of these. The shape and the place of an array never
// change; its elements may be read and written by several goroutines and processes, which have to
// see to it that none reads what another one writes: by working on rows of their own, or with Lock.
//
// When the arena is closed its arrays end. Every method that touches memory then panics with
// an error that names the array; Shape, Len and String still work.
type Array[T any] struct {
	first *T // element 0
	near
	v *view
}

// near is what At and Set are quicker to find here than in the view; see index.go. The compiler keeps an Array in registers as long as
// it has no more than four words, and no struct in it more than four fields (cmd/compile/internal/ssa: CanSSA).
type near struct {
	_    [0]func() // no ==, which would compare handles
	last int       // the length of the last axis
	mid  int       // of three dimensions the length of the middle axis, of two the step of the first
}

func (v *view) near() near {
	d := len(v.shape)
	n := near{last: v.shape[d-1]}
	switch d {
	case 2:
		n.mid = v.strides[0]
	case 3:
		n.mid = v.shape[1]
	}
	return n
}

// Shape returns the length of each axis, in a slice of its own.
func (a Array[T]) Shape() []int {
	if a.v == nil {
		return nil
	}
	return slices.Clone(a.v.shape)
}

// Dim returns the length of one axis: Dim(0) is Shape()[0], without making a slice.
func (a Array[T]) Dim(axis int) int { return a.v.shape[axis] }

// Strides returns for each axis how many elements lie between one place and the next.
func (a Array[T]) Strides() []int {
	if a.v == nil {
		return nil
	}
	return slices.Clone(a.v.strides)
}

// Len returns the number of elements.
func (a Array[T]) Len() int {
	if a.v == nil {
		return 0
	}
	return product(a.v.shape)
}

// String names the array for people: its type, its shape, and the line that made it.
func (a Array[T]) String() string {
	if a.v == nil {
		return "no array"
	}
	return a.v.describe()
}

// Contiguous reports whether the elements lie one after the other in the order of their indices, the last running
// fastest, as they do in a new array and in its Rows. Only then there is a Slice.
func (a Array[T]) Contiguous() bool {
	a.v.live("Contiguous")
	return contiguous(a.v.shape, a.v.strides)
}

// ReadOnly reports whether a write would be refused, or be a fault: the array is mapped for reading only.
func (a Array[T]) ReadOnly() bool {
	a.v.live("ReadOnly")
	return a.v.readOnly
}

// Slice returns the elements as a slice of the array's own memory, the last index running fastest. It
// is valid until the arena is closed. Whoever keeps it longer meets a fault: inside View, and in
// the jobs of package jobgen, a panic that [Explain] explains; elsewhere the end of the program, so
// prefer View where the lifetime is not plain to see.
//
// It panics if the array is not [Array.Contiguous]: a transposed one, a window on another axis than
// the first. Use All, AppendTo or View's copy-free relatives Rows and Sub then.
func (a Array[T]) Slice() []T {
	a.v.live("Slice")
	if !contiguous(a.v.shape, a.v.strides) {
		panic(misuse("sharedmem: Slice of the " + a.v.describe() + ", whose elements do not lie one after the other (strides " +
			shapeText(a.v.strides) + "); use All or AppendTo"))
	}
	return a.data()
}

// All yields the elements in the order of their indices, the last running fastest, with their number in that order.
func (a Array[T]) All() iter.Seq2[int, T] {
	a.v.live("All")
	return func(yield func(int, T) bool) {
		data, n := a.data(), 0
		for off, run := range a.v.runs() {
			a.v.live("All")
			for i := range run {
				if !yield(n, data[off+i*a.v.gap()]) {
					return
				}
				n++
			}
		}
	}
}

// AppendTo appends the elements to s, in the order of their indices, the last running fastest, and
// returns the longer slice: a copy on the heap.
func (a Array[T]) AppendTo(s []T) []T {
	a.v.live("AppendTo")
	s = slices.Grow(s, a.Len())
	data := a.data()
	for off, run := range a.v.runs() {
		if a.v.gap() == 1 {
			s = append(s, data[off:off+run]...)
			continue
		}
		for i := range run {
			s = append(s, data[off+i*a.v.gap()])
		}
	}
	return s
}

// runs yields where in data each row of the last axis begins, and how long it is; one single run if all
// elements are neighbours.
func (v *view) runs() iter.Seq2[int, int] {
	return func(yield func(off, n int) bool) {
		d := len(v.shape)
		if contiguous(v.shape, v.strides) {
			yield(0, product(v.shape))
			return
		}
		if product(v.shape) == 0 {
			return
		}
		at := make([]int, d-1)
		for {
			off := 0
			for k, i := range at {
				off += i * v.strides[k]
			}
			if !yield(off, v.shape[d-1]) {
				return
			}
			k := d - 2
			for ; k >= 0; k-- {
				if at[k]++; at[k] < v.shape[k] {
					break
				}
				at[k] = 0
			}
			if k < 0 {
				return
			}
		}
	}
}
