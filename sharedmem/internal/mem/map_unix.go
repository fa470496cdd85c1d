//go:build linux || darwin || freebsd || netbsd || dragonfly

package mem

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapRegion(f *os.File, size int, readOnly bool) (*Region, error) {
	prot := unix.PROT_READ | unix.PROT_WRITE
	if readOnly {
		prot = unix.PROT_READ
	}
	p, err := unix.MmapPtr(int(f.Fd()), 0, nil, uintptr(size), prot, unix.MAP_SHARED)
	if err != nil {
		return nil, noMemory("mapping", size, err)
	}
	return &Region{Bytes: unsafe.Slice((*byte)(p), size), File: f, ReadOnly: readOnly}, nil
}

// Flush writes changes of a mapped file to its disk.
func (r *Region) Flush() error {
	if r.heap || r.ReadOnly {
		return nil
	}
	return ignoringEINTR(func() error { return unix.Msync(r.Bytes, unix.MS_SYNC) })
}

// Unmap gives the region back. Its addresses are not used again for a while, so that to touch them
// is a fault, and never something else.
func (r *Region) Unmap() {
	if len(r.Bytes) > 0 && !r.heap {
		quarantine(unsafe.Pointer(unsafe.SliceData(r.Bytes)), uintptr(len(r.Bytes)))
	}
	r.Bytes = nil
	if r.File != nil {
		r.File.Close()
		r.File = nil
	}
}

// quarantined are ranges of addresses that are mapped without access, the oldest first. There is a limit to how
// many ranges a process may have (65530 on Linux, vm.max_map_count) and to addresses.
var quarantined struct {
	sync.Mutex
	ranges []addresses
	bytes  uintptr
}

type addresses struct {
	p    unsafe.Pointer
	size uintptr
}

const (
	maxQuarantined     = 1024
	maxQuarantineBytes = 1 << (10 + 30*(^uint(0)>>63)) // 1 TiB, of 128; nothing where addresses have 32 bits
)

func quarantine(p unsafe.Pointer, size uintptr) {
	_, err := unix.MmapPtr(-1, 0, p, size, unix.PROT_NONE, unix.MAP_FIXED|unix.MAP_PRIVATE|unix.MAP_ANON|mapNoReserve)
	if err != nil {
		_ = unix.MunmapPtr(p, size)
		return
	}
	q := &quarantined
	q.Lock()
	defer q.Unlock()
	q.ranges = append(q.ranges, addresses{p, size})
	q.bytes += size
	for len(q.ranges) > maxQuarantined || q.bytes > maxQuarantineBytes {
		oldest := q.ranges[0]
		q.ranges = append(q.ranges[:0], q.ranges[1:]...)
		q.bytes -= oldest.size
		_ = unix.MunmapPtr(oldest.p, oldest.size)
	}
}

func checkSize(f *os.File, size int) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("attaching shared memory: %w", err)
	}
	if info.Size() != int64(size) {
		return fmt.Errorf("attaching shared memory: it has %d bytes, not the %d that were announced", info.Size(), size)
	}
	return nil
}

// createFile makes memory of a file that has no name any more.
func createFile(size int) (*Region, error) {
	f, err := os.CreateTemp("", "jobgen-arena-*")
	if err != nil {
		return nil, fmt.Errorf("making shared memory: %w", err)
	}
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(int64(size))); err != nil {
		f.Close()
		return nil, fmt.Errorf("making shared memory: %w", err)
	}
	return MapFile(f, size, false)
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
