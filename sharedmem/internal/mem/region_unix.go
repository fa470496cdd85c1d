//go:build (darwin || freebsd || netbsd || dragonfly) && !race

package mem

import (
	"fmt"
	"os"
)

// CanShare reports whether regions of this build can be mapped by other processes.
const CanShare = true

// Create returns size bytes of zeros, in whole pages, in a file without a name. These systems have no seals: with
// sealed the other processes map the region for reading only, which they could undo on purpose.
func Create(size int, sealed bool) (*Region, error) {
	r, err := createFile(size)
	if err == nil {
		r.sealed = sealed
	}
	return r, err
}

// Attach maps what another process has created, and takes over f.
func Attach(f *os.File, size int, readOnly bool) (*Region, error) {
	if err := checkSize(f, size); err != nil {
		f.Close()
		return nil, err
	}
	r, err := mapRegion(f, size, readOnly)
	if err != nil {
		f.Close()
		return nil, err
	}
	if err := r.markAttached(); err != nil {
		r.Unmap()
		return nil, fmt.Errorf("attaching shared memory: %w", err)
	}
	return r, nil
}

// Commit takes memory for whole pages of the region that have not been committed before, so that no
// access to them can fail later on: a file that was only truncated to its size has no room on its disk
// yet, and nothing but writing makes it on all these systems.
func (r *Region) Commit(off, n int) error {
	zeros := make([]byte, min(n, 1<<20))
	for done := 0; done < n; {
		k, err := r.File.WriteAt(zeros[:min(len(zeros), n-done)], int64(off+done))
		if err != nil {
			return noMemory("taking", n, err)
		}
		done += k
	}
	return nil
}

// Move reports false: these systems cannot map a region elsewhere.
func (r *Region) Move() bool { return false }
