package sharedmem

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
	"github.com/jobgen/jobgen/sharedmem/internal/npy"
)

// OpenNPY maps a file of NumPy's (.npy, versions 1 to 3) as a read-only array, without copying it: 80
// MB are there in some tens of microseconds, and are read from the disk when they are used. Several
// processes that open a file share its memory.
//
// T has to be what the file holds: float64 for '<f8', a struct with fields of the same names (or of the
// names in `npy:"name"` tags), types and places for a structured dtype. Nothing is converted; the error
// says what the file has, and how to convert it. Arrays in Fortran's order come with the shape that
// NumPy shows, and are not [Array.Contiguous]; their T is. An array without dimensions comes as one
// element.
//
// A file that lies about itself is an error: no header, a shape that does not fit its type or its size,
// a part that is missing. One that is cut short while it is mapped is a fault; see [Array.View].
//
// Close unmaps the file. It may be renamed or removed before.
func OpenNPY[T any](path string) (Array[T], error) { return openNPY[T]("OpenNPY", path, true) }

// UpdateNPY maps a file as OpenNPY does, but for writing: what is written to the array is in the file, for
// NumPy and for other processes that have mapped it, at once, and on the disk after Close.
func UpdateNPY[T any](path string) (Array[T], error) { return openNPY[T]("UpdateNPY", path, false) }

func openNPY[T any](op, path string, readOnly bool) (Array[T], error) {
	e, err := elemOf[T]()
	if err != nil {
		return Array[T]{}, err
	}
	f, size, err := openRegular(path, readOnly)
	if err != nil {
		return Array[T]{}, fmt.Errorf("sharedmem: %s: %w", op, err)
	}
	fail := func(err error) (Array[T], error) {
		f.Close()
		return Array[T]{}, fmt.Errorf("sharedmem: %s: %s: %w", op, path, err)
	}
	h, err := npy.Read(f, int64(size))
	if err != nil {
		return fail(err)
	}
	shape, err := elementShape(h, e.typ)
	if err != nil {
		return fail(err)
	}
	if _, err := elementCount(op, shape, e.size); err != nil {
		return fail(err)
	}
	if align := alignment[T](); h.Offset%int64(align) != 0 {
		return fail(fmt.Errorf("its data begin at byte %d, and cannot be used in place, as %v has to lie at multiples of %d; save it again with numpy.save",
			h.Offset, e.typ, align))
	}
	if !readOnly {
		if err := mem.Reserve(f, h.Offset, h.DataSize()); err != nil {
			return fail(err)
		}
	}
	region, err := mem.MapFile(f, size, readOnly)
	if err != nil {
		return fail(err)
	}
	return mapped[T](region, path, h, shape, e), nil
}

// mapped makes the array of a region in which a file is.
func mapped[T any](region *mem.Region, path string, h npy.Header, shape []int, e *elem) Array[T] {
	o := new(owner)
	o.init(path, nil)
	s := &segment{core: o.core, region: region, file: path, data: int(h.Offset)}
	s.register(newID())
	v := view{
		seg: s, elem: e, base: s.data, off: s.data, madeAt: here(),
		shape: shape, strides: rowMajor(shape), readOnly: region.ReadOnly,
	}
	if h.Fortran {
		v.strides = columnMajor(shape)
	}
	return arrayOf(elements[T](region.Bytes, v.off, product(shape)), o.add(v, nil))
}

// openRegular opens a file that has a size. To open anything else could wait for ever.
func openRegular(path string, readOnly bool) (f *os.File, size int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: it is no regular file, which could be mapped", path)
	}
	flag := os.O_RDWR
	if readOnly {
		flag = os.O_RDONLY
	}
	if f, err = os.OpenFile(path, flag, 0); err != nil {
		return nil, 0, err
	}
	info, err = f.Stat()
	if err == nil && info.Size() > math.MaxInt {
		err = fmt.Errorf("%s: %d bytes cannot be mapped on this machine", path, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, int(info.Size()), nil
}

// elementShape returns the shape that the file has in elements of type t. Go's arrays are NumPy's last axes.
func elementShape(h npy.Header, t reflect.Type) ([]int, error) {
	dt, inner, err := npy.DtypeOf(t)
	if err != nil {
		return nil, err
	}
	if err := h.Dtype.CheckView(dt); err != nil {
		return nil, err
	}
	outer := len(h.Shape) - len(inner)
	if outer < 0 || !slices.Equal(h.Shape[outer:], inner) {
		return nil, &ShapeError{Op: "its elements", Have: h.Shape, Want: inner, Reason: fmt.Sprintf("elements of type %v need it to end with these axes", t)}
	}
	if h.Fortran && len(inner) > 0 && len(h.Shape) > 1 {
		return nil, fmt.Errorf("it is in Fortran's order, in which elements of type %v are not in one piece; open it as numbers", t)
	}
	if outer == 0 {
		return []int{1}, nil
	}
	return slices.Clone(h.Shape[:outer]), nil
}

// Close unmaps the file of an array that comes from OpenNPY or UpdateNPY, with all windows of it. It
// waits as [Arena.Close] does, and returns what the system says of writing changes to the disk. Arrays
// of an arena end with that, and to close one is an error.
func (a Array[T]) Close() error {
	if a.v == nil {
		return nil
	}
	if a.v.seg.file == "" {
		return errors.New("sharedmem: Close of the " + a.v.describe() + ": it ends with " + a.v.owner.what + "; close that")
	}
	return a.v.owner.closeSegment(a.v.seg, defaultCloseTimeout)
}
