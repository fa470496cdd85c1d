//go:build !race

package mem

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// CanShare reports whether regions of this build can be mapped by other processes.
const CanShare = true

// Create returns size bytes of zeros, in whole pages, in a temporary file that goes with its last
// handle and that Windows keeps in memory while there is room. There are no seals: with sealed the
// other processes map the region for reading only, which they could undo on purpose.
func Create(size int, sealed bool) (*Region, error) {
	f, err := os.CreateTemp("", "jobgen-arena-*")
	if err != nil {
		return nil, fmt.Errorf("making shared memory: %w", err)
	}
	name := f.Name()
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("making shared memory: %w", err)
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("making shared memory: %w", err)
	}
	h, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE|windows.DELETE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING,
		windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if err != nil {
		os.Remove(name)
		return nil, fmt.Errorf("making shared memory: %w", err)
	}
	r, err := MapFile(os.NewFile(uintptr(h), name), size, false)
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
	r, err := MapFile(f, size, readOnly)
	if err != nil {
		return nil, err
	}
	if err := r.markAttached(); err != nil {
		r.Unmap()
		return nil, errors.Join(errors.New("attaching shared memory"), err)
	}
	return r, nil
}

// Commit does nothing: the file had all its room when it was mapped.
func (r *Region) Commit(_, _ int) error { return nil }

// Move reports false: Windows cannot map a region elsewhere.
func (r *Region) Move() bool { return false }
