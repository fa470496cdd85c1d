package sharedmem

import (
	"fmt"
	"slices"
)

// Alloc makes an array of zeros in an arena: Alloc[float64](arena, 1000, 3) has 1000 rows of 3. What is written to
// it is never copied. The memory is there when Alloc returns, so it costs as much as make and a first pass over the
// slice together; half as much or less if the arena is warm.
//
// The error is a [*TypeError] if T holds a pointer, a [*ShapeError] if there is no such shape (negative,
// no dimension or more than 8, too large for an address), a [*BudgetError] if there is no memory, or
// wraps [ErrClosed].
func Alloc[T any](arena *Arena, shape ...int) (Array[T], error) {
	return alloc[T](arena, "Alloc", shape, true)
}

// AllocLike makes an array of zeros of the shape of another array, whose elements may have another
// type. It fails as Alloc does.
func AllocLike[T, U any](arena *Arena, like Array[U]) (Array[T], error) {
	return alloc[T](arena, "AllocLike", like.Shape(), true)
}

// CopyOf makes an array of an arena that holds a copy of s: one-dimensional, or of the shape that is
// given, the last index running fastest. It fails as Alloc does, and with a [*ShapeError] if the shape
// has not as many elements as s.
//
// One goroutine copies. To copy costs more than the copy, if the arena has to take memory for it from
// the system first: an array that is made anyway is better born in the arena, with Alloc.
func CopyOf[T any](arena *Arena, s []T, shape ...int) (Array[T], error) {
	if len(shape) == 0 {
		shape = []int{len(s)}
	} else if n := product(shape); n != len(s) {
		return Array[T]{}, &ShapeError{Op: "CopyOf", Have: []int{len(s)}, Want: slices.Clone(shape),
			Reason: fmt.Sprintf("%d elements cannot become %d", len(s), n)}
	}
	a, err := alloc[T](arena, "CopyOf", shape, false)
	if err != nil {
		return a, err
	}
	copy(a.data(), s)
	arena.copied(len(s) * a.v.elem.size)
	return a, nil
}

// Stack makes an array of an arena whose rows are copies of the given ones, which have to be equally
// long: [][]T becomes a two-dimensional array. It fails as Alloc does, and with a [*ShapeError] if the
// lengths differ. No rows become an array of shape (0, 0).
func Stack[T any](arena *Arena, rows [][]T) (Array[T], error) {
	cols := 0
	if len(rows) > 0 {
		cols = len(rows[0])
	}
	for i, r := range rows {
		if len(r) != cols {
			return Array[T]{}, &ShapeError{Op: "Stack", Have: []int{cols}, Want: []int{len(r)},
				Reason: fmt.Sprintf("row %d has %d elements, row 0 has %d", i, len(r), cols)}
		}
	}
	a, err := alloc[T](arena, "Stack", []int{len(rows), cols}, false)
	if err != nil {
		return a, err
	}
	data := a.data()
	for i, r := range rows {
		copy(data[i*cols:], r)
	}
	arena.copied(len(rows) * cols * a.v.elem.size)
	return a, nil
}

func alloc[T any](arena *Arena, op string, shape []int, zeroed bool) (Array[T], error) {
	e, err := elemOf[T]()
	if err != nil {
		return Array[T]{}, err
	}
	n, err := elementCount(op, shape, e.size)
	if err != nil {
		return Array[T]{}, err
	}
	s, base, err := arena.take(op, n*e.size, zeroed)
	if err != nil {
		return Array[T]{}, err
	}
	v := view{
		seg: s, elem: e, base: base, off: base + headerSize, madeAt: here(),
		stamp: word(s.region.Bytes, base+atStamp).Load(),
		shape: slices.Clone(shape), strides: rowMajor(shape),
	}
	return arrayOf(elements[T](s.region.Bytes, v.off, n), arena.add(v, nil)), nil
}

func (a *Arena) copied(bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.Copied += int64(bytes)
}
