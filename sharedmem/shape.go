package sharedmem

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// elementCount returns how many elements a shape has, or why there is no such array.
func elementCount(op string, shape []int, elemSize int) (int, error) {
	fail := func(reason string) (int, error) {
		return 0, &ShapeError{Op: op, Want: slices.Clone(shape), Reason: reason}
	}
	if len(shape) == 0 {
		return fail("an array has at least one dimension")
	}
	if len(shape) > maxDims {
		return fail(fmt.Sprintf("an array has at most %d dimensions", maxDims))
	}
	// Each product is checked as if no length were 0, so that strides cannot overflow either.
	n, bytes := 1, uint64(elemSize)
	for _, k := range shape {
		if k < 0 {
			return fail("a length is negative")
		}
		hi, lo := bits.Mul64(bytes, uint64(max(k, 1)))
		if hi != 0 || lo > math.MaxInt {
			return fail("it has more bytes than there are addresses")
		}
		bytes = lo
		n *= k
	}
	return n, nil
}

func product(shape []int) int {
	n := 1
	for _, k := range shape {
		n *= k
	}
	return n
}

// rowMajor returns the strides of an array in which the last index runs fastest.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for k := len(shape) - 1; k >= 0; k-- {
		strides[k] = n
		n *= max(shape[k], 1)
	}
	return strides
}

// columnMajor returns the strides of an array in which the first index runs fastest, as in Fortran.
func columnMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for k := range shape {
		strides[k] = n
		n *= max(shape[k], 1)
	}
	return strides
}

// contiguous reports whether the strides are those of rowMajor, where they matter.
func contiguous(shape, strides []int) bool {
	n := 1
	for k := len(shape) - 1; k >= 0; k-- {
		if shape[k] == 0 {
			return true
		}
		if shape[k] > 1 && strides[k] != n {
			return false
		}
		n *= shape[k]
	}
	return true
}

// span returns how many elements lie from the first to the last, both counted.
func span(shape, strides []int) int {
	n := 1
	for k := range shape {
		if shape[k] == 0 {
			return 0
		}
		n += (shape[k] - 1) * strides[k]
	}
	return n
}
