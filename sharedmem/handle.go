package sharedmem

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
)

// The encoding of an array: a version, the ids of the segment and of the element type's layout, the stamp
// of the allocation, and then, as varints, where the allocation and element 0 are, and the shape and
// strides. 32 to 40 bytes for most.
const handleVersion = 1

// handle is a decoded array that has not been checked.
type handle struct {
	segment, layout, stamp uint64
	base, off              int
	shape, strides         []int
}

// AppendBinary appends a handle of the array to b: some tens of bytes, not the elements. In another
// process of the same machine UnmarshalBinary makes the array of it, if the segment was attached there.
// It fails if the array has ended.
func (a Array[T]) AppendBinary(b []byte) ([]byte, error) {
	if a.v == nil {
		return append(b, 0), nil
	}
	if a.v.ended != nil {
		return b, a.v.gone("encoding")
	}
	v := a.v
	b = append(b, handleVersion)
	b = binary.LittleEndian.AppendUint64(b, v.seg.id)
	b = binary.LittleEndian.AppendUint64(b, v.elem.layout)
	b = binary.LittleEndian.AppendUint64(b, v.stamp)
	b = binary.AppendUvarint(b, uint64(v.base))
	b = binary.AppendUvarint(b, uint64(v.off-v.base))
	b = binary.AppendUvarint(b, uint64(len(v.shape)))
	for k, n := range v.shape {
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendUvarint(b, uint64(v.strides[k]))
	}
	return b, nil
}

// MarshalBinary returns a handle of the array; see AppendBinary.
func (a Array[T]) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }

// UnmarshalBinary makes a the array that a handle leads to. Every part of the handle is checked: it may
// come from anywhere. The error is a [*HandleError] if the handle is damaged or does not fit T, if its
// arena was closed or reset, or if its segment was not attached to this process. a is not changed then.
func (a *Array[T]) UnmarshalBinary(b []byte) error {
	e, err := elemOf[T]()
	if err != nil {
		return err
	}
	if len(b) == 1 && b[0] == 0 {
		*a = Array[T]{}
		return nil
	}
	h, err := decodeHandle(b)
	if err != nil {
		return err
	}
	if h.layout != e.layout {
		return &HandleError{fmt.Sprintf("the elements are not %v, or its layout is another one there", e.typ)}
	}
	s, err := findSegment(h.segment)
	if err != nil {
		return err
	}
	data, err := checked[T](s, &h, e)
	if err != nil {
		return err
	}
	o := s.core.self.Value()
	if o == nil {
		return &HandleError{s.core.what + ", in which the array is, was not closed, but nothing refers to it any more"}
	}
	v := view{
		seg: s, elem: e, base: h.base, off: h.off, madeAt: here(), stamp: h.stamp,
		shape: h.shape, strides: h.strides, readOnly: s.region.ReadOnly,
	}
	*a = arrayOf(data, o.add(v, nil))
	return nil
}

// checked returns the elements to which a handle leads.
func checked[T any](s *segment, h *handle, e *elem) ([]T, error) {
	s.core.mu.Lock() // so that the memory stays meanwhile
	defer s.core.mu.Unlock()
	if s.core.shut {
		return nil, &HandleError{"it is stale: " + s.core.what + " was closed"}
	}
	if err := s.check(h, e.size, alignment[T]()); err != nil {
		return nil, err
	}
	return elements[T](s.region.Bytes, h.off, span(h.shape, h.strides)), nil
}

func decodeHandle(b []byte) (h handle, err error) {
	damaged := func(what string) (handle, error) { return handle{}, &HandleError{"it is damaged: " + what} }
	if len(b) < 1+3*8 {
		return damaged("it is too short")
	}
	if b[0] != handleVersion {
		return damaged(fmt.Sprintf("its version is %d, not %d", b[0], handleVersion))
	}
	h.segment = binary.LittleEndian.Uint64(b[1:])
	h.layout = binary.LittleEndian.Uint64(b[9:])
	h.stamp = binary.LittleEndian.Uint64(b[17:])
	b = b[25:]
	ok := true
	number := func() int {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > math.MaxInt {
			ok, b = false, nil
			return 0
		}
		b = b[k:]
		return int(n)
	}
	h.base = number()
	off := number()
	dims := number()
	if !ok || dims < 1 || dims > maxDims {
		return damaged("the number of dimensions")
	}
	if h.off = h.base + off; h.off < h.base {
		return damaged("the offset")
	}
	h.shape, h.strides = make([]int, dims), make([]int, dims)
	for k := range dims {
		h.shape[k], h.strides[k] = number(), number()
	}
	if !ok || len(b) > 0 {
		return damaged("it has another length than it should")
	}
	return h, nil
}

// check sees to it that all elements lie in an allocation of the segment, the one that was meant.
// Nothing in the segment's memory is trusted: it can change meanwhile.
func (s *segment) check(h *handle, size, align int) error {
	if _, err := elementCount("decoding", h.shape, size); err != nil {
		return &HandleError{err.Error()}
	}
	lo, hi := 0, len(s.region.Bytes)
	if s.file == "" {
		if h.base%headerSize != 0 || h.base < headerSize || h.base > hi-headerSize {
			return &HandleError{"it leads out of its segment"}
		}
		if word(s.region.Bytes, atID).Load() != s.id || word(s.region.Bytes, h.base+atStamp).Load() != h.stamp || h.stamp == 0 {
			return &HandleError{"it is stale: " + s.core.what + " was closed or reset since the handle was made"}
		}
		n := word(s.region.Bytes, h.base+atLength).Load()
		lo = h.base + headerSize
		if n < headerSize || n > uint64(hi-h.base) {
			return &HandleError{"it is damaged: its allocation leads out of its segment"}
		}
		hi = h.base + int(n)
	} else if h.base != s.data || h.stamp != 0 {
		return &HandleError{"it does not lead to the data of " + s.file}
	} else {
		lo = h.base
	}
	// In elements of size bytes; an empty array occupies one place, so that its address is good.
	room := (hi - h.off) / size
	if h.off < lo || h.off > hi || h.off%align != 0 || !within(h.shape, h.strides, room) {
		return &HandleError{"it leads out of its array"}
	}
	return nil
}

// within reports whether all elements lie in room places, without overflow whatever the numbers are.
func within(shape, strides []int, room int) bool {
	if slices.Contains(shape, 0) {
		return room >= 0
	}
	last := 0
	for k, n := range shape {
		if n == 1 {
			continue
		}
		if strides[k] != 0 && n-1 > (room-1)/strides[k] {
			return false
		}
		if last += (n - 1) * strides[k]; last >= room {
			return false
		}
	}
	return last < room
}

// holder is where the process that holds the array's lock is noted, or nil if there is no such place.
func (v *view) holder() *atomic.Uint64 {
	if v.seg.file != "" {
		return nil
	}
	return word(v.seg.region.Bytes, v.base+atHolder)
}
