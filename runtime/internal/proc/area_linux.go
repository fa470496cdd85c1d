package proc

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanShare says whether processes can share areas. The race detector does not see what other processes do in them.
const CanShare = !raceEnabled

const sealed = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW

// newShared makes memory for the areas of a process, with room for size bytes in each direction. It has no name and takes
// no memory until it is written to; it is gone with the last process that has it.
func newShared(size int) (f *os.File, mem []byte, err error) {
	fd, err := unix.MemfdCreate("jobgen frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, err
	}
	f = os.NewFile(uintptr(fd), "frames")
	if err = f.Truncate(int64(sharedHead + 2*size)); err == nil {
		// Nobody can make it smaller, which would be a fault for who reads it.
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, sealed)
	}
	if err == nil {
		mem, err = mapShared(f)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, mem, nil
}

// mapShared maps what newShared has made, in this process or in its parent.
func mapShared(f *os.File) ([]byte, error) {
	fd := int(f.Fd())
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); seals&sealed != sealed || size < sharedHead || int64(int(size)) != size {
		return nil, errors.New("the parent's memory for frames is not what it should be")
	}
	return unix.Mmap(fd, 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func unmapShared(mem []byte) { _ = unix.Munmap(mem) }

// backShared takes memory for n bytes of f.
func backShared(f *os.File, from, n int) error {
	for {
		if err := unix.Fallocate(int(f.Fd()), 0, int64(from), int64(n)); err != unix.EINTR {
			return err
		}
	}
}

// number is a number in shared memory, at a multiple of 8.
func number(mem []byte, off int) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Pointer(&mem[off : off+8][0]))
}

// yield lets another thread have the processor, if one waits for it.
func yield() { _, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
