// Package npy reads and writes the headers of NumPy's .npy files, and tells which Go types have the
// memory layout of which NumPy dtypes.
//
// It moves no data. [Read] says where the elements of a file begin and what they are, [DtypeOf]
// says what dtype a Go type has, and [Dtype.CheckView] whether the one may be looked at as the
// other, in place. A header is a literal in the syntax of Python; the parser here takes the part of
// that syntax which writers of .npy files use, and trusts nothing that it reads.
//
// The format is described in the documentation of numpy.lib.format.
package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

const (
	magic    = "\x93NUMPY"
	maxDims  = 64      // NumPy's own limit; 32 before NumPy 2
	maxDepth = 32      // of structures within structures
	maxText  = 1 << 20 // bytes of a header's text; NumPy itself asks for leave above 10000
)

// Header is what a .npy file says about its data.
type Header struct {
	// Version is the version of the format: {1, 0}, {2, 0} or {3, 0}.
	Version [2]byte

	// Dtype is the type of an element.
	Dtype Dtype

	// Fortran tells that the first index changes fastest in memory, not the last.
	Fortran bool

	// Shape is the extent of each axis. It is empty for an array without axes, which has one element.
	Shape []int

	// Offset is where the data begins, in bytes from the start of the file. NumPy aligns it to 64
	// bytes, and to 16 before 1.14, but other programs need not.
	Offset int64
}

// DataSize is the number of bytes that the elements take. For a header from [Read] it does not
// overflow, and the file has that many from Offset on.
func (h Header) DataSize() int64 {
	n := h.Dtype.size
	for _, dim := range h.Shape {
		n *= int64(dim)
	}
	return n
}

// dataSize is Header.DataSize for a shape that nobody has checked yet. As in NumPy the axes must
// make a sensible size even if one of them is empty, so that callers may multiply in any order.
func dataSize(dt Dtype, shape []int) (int64, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("the shape has %d axes; NumPy's arrays have at most %d", len(shape), maxDims)
	}
	elements, empty := int64(1), false
	for i, dim := range shape {
		switch {
		case dim < 0:
			return 0, fmt.Errorf("axis %d of the shape %s is negative", i, tuple(shape))
		case dim == 0:
			empty = true
			continue
		case elements > math.MaxInt/int64(dim):
			return 0, fmt.Errorf("the shape %s has more elements than memory can have bytes", tuple(shape))
		}
		elements *= int64(dim)
	}
	size, ok := multiply(elements, dt.size)
	if !ok {
		return 0, fmt.Errorf("an array of shape %s with %d bytes an element is larger than any file",
			tuple(shape), dt.size)
	}
	if empty {
		return 0, nil
	}
	return size, nil
}

// multiply returns a*b of numbers that are not negative, and whether it fits.
func multiply(a, b int64) (int64, bool) {
	if b != 0 && a > math.MaxInt64/b {
		return 0, false
	}
	return a * b, true
}

// tuple prints a shape as Python does: (), (3,), (3, 4).
func tuple(shape []int) string {
	b := []byte{'('}
	for i, dim := range shape {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, int64(dim), 10)
	}
	if len(shape) == 1 {
		b = append(b, ',')
	}
	return string(append(b, ')'))
}

// native is NumPy's sign for the byte order of this machine.
var native = func() byte {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return '<'
	}
	return '>'
}()
