package sharedmem

import (
	"sync/atomic"
	"unsafe"
)

// elements views n elements of T that begin at off. The caller has checked that they lie in b and that off
// is a multiple of T's alignment.
func elements[T any](b []byte, off, n int) []T {
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[off])), n)
}

// bytesOf views the memory of s.
func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0])))
}

// element points to the element that lies i behind the first one. The caller has checked that there is one, by the shape of an array: a
// second check, as that of s[i], takes a tenth of the time of a quick loop.
func element[T any](first *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(first), i*int(unsafe.Sizeof(*first))))
}

// data are the elements of a from the first to the last one that its strides lead to.
func (a Array[T]) data() []T { return unsafe.Slice(a.first, span(a.v.shape, a.v.strides)) }

// arrayOf makes an Array of the elements that a view leads to.
func arrayOf[T any](data []T, v *view) Array[T] {
	return Array[T]{first: unsafe.SliceData(data), near: v.near(), v: v}
}

// offsetIn returns where the slice s begins in b, and reports false if it lies elsewhere.
func offsetIn(b, s []byte) (int, bool) {
	from, at := uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	if at < from || at-from >= uintptr(len(b)) {
		return 0, false
	}
	return int(at - from), true
}

// word is the 8 bytes at off, a multiple of 8, which other processes may change.
func word(b []byte, off int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&b[off : off+8][0]))
}

// alignment is what the address of a T is a multiple of.
func alignment[T any]() int {
	var t T
	return int(unsafe.Alignof(t))
}
