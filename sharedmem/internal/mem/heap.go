//go:build race || !(linux || darwin || freebsd || netbsd || dragonfly || windows)

package mem

import "unsafe"

// heapRegion is a region on the Go heap. It begins at a multiple of 64 bytes, as any slice of whole pages does.
func heapRegion(size int) *Region {
	words := make([]uint64, RoundUp(size)/8)
	return &Region{Bytes: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size), heap: true}
}
