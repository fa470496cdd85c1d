package mem

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func mapRegion(f *os.File, size int, readOnly bool) (*Region, error) {
	protect, access := uint32(windows.PAGE_READWRITE), uint32(windows.FILE_MAP_READ|windows.FILE_MAP_WRITE)
	if readOnly {
		protect, access = windows.PAGE_READONLY, windows.FILE_MAP_READ
	}
	// A file that is shorter than its mapping grows, and has room on its disk then.
	section, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, protect, uint32(uint64(size)>>32), uint32(size), nil)
	if err != nil {
		return nil, noMemory("mapping", size, err)
	}
	defer windows.CloseHandle(section) // the view keeps it
	addr, err := windows.MapViewOfFile(section, access, 0, 0, uintptr(size))
	if err != nil {
		return nil, noMemory("mapping", size, err)
	}
	p := *(*unsafe.Pointer)(unsafe.Pointer(&addr)) // an address that is not of the Go heap, which vet cannot know (golang/go#58625)
	return &Region{Bytes: unsafe.Slice((*byte)(p), size), File: f, ReadOnly: readOnly}, nil
}

// Flush writes changes of a mapped file to its disk.
func (r *Region) Flush() error {
	if r.heap || r.ReadOnly {
		return nil
	}
	if err := windows.FlushViewOfFile(r.Addr(), uintptr(len(r.Bytes))); err != nil {
		return err
	}
	return r.File.Sync()
}

// Unmap gives the region back.
func (r *Region) Unmap() {
	if len(r.Bytes) > 0 && !r.heap {
		addr, size := r.Addr(), uintptr(len(r.Bytes))
		if windows.UnmapViewOfFile(addr) == nil {
			// So that who still holds an address is caught by a fault.
			_, _ = windows.VirtualAlloc(addr, size, windows.MEM_RESERVE, windows.PAGE_NOACCESS)
		}
	}
	r.Bytes = nil
	if r.File != nil {
		r.File.Close()
		r.File = nil
	}
}

// Reserve does nothing: a file that was written has room for what it holds.
func Reserve(*os.File, int64, int64) error { return nil }

// presence is a byte far behind any region: whoever has attached a region keeps a lock on it.
const presence = 1 << 62

// Lock waits for the lock on the byte at off, which need not exist, against other processes: shared with other
// readers, or not. The system lets go of it when this process dies. It must be asked for by one goroutine at a time.
func (r *Region) Lock(off int64, shared bool) error {
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK)
	if shared {
		flags = 0
	}
	return r.lockFile(flags, off)
}

// Unlock lets go of a lock.
func (r *Region) Unlock(off int64) error {
	if r.heap {
		return nil
	}
	at := at(off)
	return windows.UnlockFileEx(windows.Handle(r.File.Fd()), 0, 1, 0, &at)
}

func (r *Region) markAttached() error { return r.lockFile(windows.LOCKFILE_FAIL_IMMEDIATELY, presence) }

// Attached reports whether another process has attached the region, or may have.
func (r *Region) Attached() bool {
	if r.heap {
		return false
	}
	err := r.lockFile(windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, presence)
	if err == nil {
		err = r.Unlock(presence)
	}
	return err != nil
}

func (r *Region) lockFile(flags uint32, off int64) error {
	if r.heap {
		return nil
	}
	if r.File == nil {
		return ErrNotShared
	}
	at := at(off)
	return windows.LockFileEx(windows.Handle(r.File.Fd()), flags, 0, 1, 0, &at)
}

func at(off int64) windows.Overlapped {
	return windows.Overlapped{Offset: uint32(off), OffsetHigh: uint32(uint64(off) >> 32)}
}

func checkSize(f *os.File, size int) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("attaching shared memory: %w", err)
	}
	if info.Size() != int64(size) {
		return errors.New("attaching shared memory: it has another size than was announced")
	}
	return nil
}
