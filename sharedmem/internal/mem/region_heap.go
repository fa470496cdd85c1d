//go:build race || !(linux || darwin || freebsd || netbsd || dragonfly || windows)

package mem

import "os"

// CanShare reports whether regions of this build can be mapped by other processes.
const CanShare = false

// Create returns size bytes of zeros on the Go heap.
func Create(size int, sealed bool) (*Region, error) {
	r := heapRegion(size)
	r.sealed = sealed
	return r, nil
}

// Attach fails: what other processes have is out of reach.
func Attach(f *os.File, _ int, _ bool) (*Region, error) {
	f.Close()
	return nil, ErrNotShared
}

// Commit does nothing: the heap is memory.
func (r *Region) Commit(_, _ int) error { return nil }

// Move reports false: the garbage collector looks after old slices.
func (r *Region) Move() bool { return false }
