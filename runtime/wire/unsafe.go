package wire

import "unsafe"

// This is the only file that looks at memory as bytes. It does so for element types without pointers, which the
// generator sees to.

// sizeOf is the size of a type in memory.
func sizeOf[T any]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

// bytesOf is the memory of a slice's elements.
func bytesOf[E any](s []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*sizeOf[E]())
}

// bytesAt is the memory of a value.
func bytesAt[T any](p *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), sizeOf[T]()) }
