// Package mem gets memory from the operating system that other processes can map: sealed memfds on
// Linux, files without a name elsewhere, the Go heap where there is neither and under the race
// detector, which sees races only there.
//
// It is the leaf of package sharedmem that knows systems. A Region is not safe for concurrent use,
// but for Lock, Unlock and the memory itself.
package mem

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

// Region is a mapping of memory, or a piece of the heap.
type Region struct {
	Bytes    []byte
	File     *os.File // what other processes map; nil on the heap. It is the region's: closing it ends locks
	ReadOnly bool     // a write faults

	heap   bool
	sealed bool
}

// ErrNoMemory is wrapped by the errors of Create and Commit when the system refuses memory.
var ErrNoMemory = errors.New("the system has no memory for it")

// ErrNotShared is the error of what cannot be done with memory on the heap.
var ErrNotShared = errors.New("this memory is on the Go heap, where no other process can reach it")

// PageSize is the unit in which memory is mapped.
var PageSize = os.Getpagesize()

// RoundUp returns n rounded up to whole pages.
func RoundUp(n int) int { return (n + PageSize - 1) &^ (PageSize - 1) }

// Addr returns the address of the region's first byte.
func (r *Region) Addr() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(r.Bytes))) }

// Sealed reports whether the region was created for others to read only.
func (r *Region) Sealed() bool { return r.sealed }

// Shareable reports whether another process can map the region.
func (r *Region) Shareable() bool { return !r.heap && r.File != nil }

func noMemory(what string, size int, err error) error {
	return fmt.Errorf("%s %d bytes: %w (%w)", what, size, ErrNoMemory, err)
}
