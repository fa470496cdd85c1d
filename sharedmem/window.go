package sharedmem

import (
	"fmt"
	"slices"
)

// Rows returns the window from lo up to, not including, hi on the first axis. It is the same memory. It panics if
// the bounds are out of range, as slicing a slice does.
func (a Array[T]) Rows(lo, hi int) Array[T] {
	a.v.live("Rows")
	return a.window("Rows", 0, lo, hi, 1)
}

// Window returns every step-th place from lo up to, not including, hi on an axis, counted from 0. It is the same
// memory. It panics if there is no such axis, if the bounds are out of range, or if step is not positive.
func (a Array[T]) Window(axis, lo, hi, step int) Array[T] {
	a.v.live("Window")
	if axis < 0 || axis >= len(a.v.shape) || step < 1 {
		panic(misuse(fmt.Sprintf("sharedmem: Window on axis %d in steps of %d, of the %s", axis, step, a.v.describe())))
	}
	return a.window("Window", axis, lo, hi, step)
}

func (a Array[T]) window(op string, axis, lo, hi, step int) Array[T] {
	if n := a.v.shape[axis]; lo < 0 || hi < lo || hi > n {
		panic(misuse(fmt.Sprintf("sharedmem: %s from %d to %d on axis %d, of the %s", op, lo, hi, axis, a.v.describe())))
	}
	shape, strides := slices.Clone(a.v.shape), slices.Clone(a.v.strides)
	shape[axis] = (hi - lo + step - 1) / step
	strides[axis] *= step
	return a.part(lo*a.v.strides[axis], shape, strides)
}

// Sub returns what lies at the given places on the first axes, an array of as many fewer dimensions: Sub(i) of a
// matrix is row i. It is the same memory. It panics if an index is out of range or no dimension
// would be left.
func (a Array[T]) Sub(idx ...int) Array[T] {
	a.v.live("Sub")
	first := 0
	for k, i := range idx {
		if k == len(a.v.shape)-1 || i < 0 || i >= a.v.shape[k] {
			panic(misuse(fmt.Sprintf("sharedmem: Sub%s of the %s", shapeText(idx), a.v.describe())))
		}
		first += i * a.v.strides[k]
	}
	n := len(idx)
	return a.part(first, slices.Clone(a.v.shape[n:]), slices.Clone(a.v.strides[n:]))
}

// T returns the transposed array, whose axes are in the opposite order. It is the same memory. At and Set of an array whose last axis has
// a step, as this one, take up to twice the time: a loop that does little else had better ask for At(j, i) of a itself.
func (a Array[T]) T() Array[T] {
	a.v.live("T")
	shape, strides := slices.Clone(a.v.shape), slices.Clone(a.v.strides)
	slices.Reverse(shape)
	slices.Reverse(strides)
	return a.part(0, shape, strides)
}

// Reshape returns the same elements in the same order in another shape. It is the same memory. The error is a
// [*ShapeError] if the number of elements differs, or if the array is not [Array.Contiguous].
func (a Array[T]) Reshape(shape ...int) (Array[T], error) {
	a.v.live("Reshape")
	n, err := elementCount("Reshape", shape, a.v.elem.size)
	if err != nil {
		return Array[T]{}, err
	}
	refuse := func(reason string) (Array[T], error) {
		return Array[T]{}, &ShapeError{Op: "Reshape", Have: a.Shape(), Want: slices.Clone(shape), Reason: reason}
	}
	if have := a.Len(); n != have {
		return refuse(fmt.Sprintf("%d elements cannot become %d", have, n))
	}
	if !contiguous(a.v.shape, a.v.strides) {
		return refuse("the elements do not lie one after the other; reshape before taking a window, or copy")
	}
	return a.part(0, slices.Clone(shape), rowMajor(shape)), nil
}

// part makes the array that begins first elements behind this one.
func (a Array[T]) part(first int, shape, strides []int) Array[T] {
	n := span(shape, strides)
	if n == 0 {
		first = 0
	}
	v := *a.v
	v.off += first * v.elem.size
	v.shape, v.strides = shape, strides
	return arrayOf(a.data()[first:first+n:first+n], a.v.owner.add(v, a.v))
}
