//go:build !(linux || darwin || freebsd || netbsd || dragonfly || windows)

package mem

import (
	"errors"
	"io"
	"os"
)

// MapFile reads a file, since this system cannot map it, and closes f. It cannot be written through.
func MapFile(f *os.File, size int, readOnly bool) (*Region, error) {
	defer f.Close()
	if !readOnly {
		return nil, errors.New("this system cannot map files for writing")
	}
	r := heapRegion(size)
	if _, err := io.ReadFull(f, r.Bytes); err != nil {
		return nil, err
	}
	r.ReadOnly = true
	return r, nil
}

// Flush does nothing.
func (r *Region) Flush() error { return nil }

// Unmap lets go of the memory.
func (r *Region) Unmap() { r.Bytes = nil }

// Reserve does nothing.
func Reserve(*os.File, int64, int64) error { return nil }
