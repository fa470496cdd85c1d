//go:build !race

package mem

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanShare reports whether regions of this build can be mapped by other processes.
const CanShare = true

// Create returns size bytes of zeros, in whole pages. With sealed no other process can write to them,
// however it maps them: F_SEAL_FUTURE_WRITE leaves only the mapping that is there already (fcntl(2),
// Linux 5.1). Memory is not taken before Commit.
func Create(size int, sealed bool) (*Region, error) {
	fd, err := memfd()
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		if sealed {
			return nil, fmt.Errorf("read-only memory needs memfd_create, which this system refuses: %w", err)
		}
		return createFile(size) // a sandbox forbids memfds
	}
	if err != nil {
		return nil, noMemory("making a memfd of", size, err)
	}
	f := os.NewFile(uintptr(fd), "memfd:jobgen")
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		f.Close()
		return nil, noMemory("making a memfd of", size, err)
	}
	r, err := mapRegion(f, size, false)
	if err != nil {
		f.Close()
		return nil, err
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if sealed {
		seals |= unix.F_SEAL_FUTURE_WRITE
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		r.Unmap()
		return nil, fmt.Errorf("sealing a memfd: %w", err)
	}
	r.sealed = sealed
	_ = unix.Madvise(r.Bytes, unix.MADV_HUGEPAGE) // where the administrator lets programs ask for them
	return r, nil
}

func memfd() (int, error) {
	fd, err := unix.MemfdCreate("jobgen", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("jobgen", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	return fd, err
}

// Attach maps what another process has created, with a description of this process's own, and takes over f. It
// refuses a memfd that can shrink, since to read beyond its end would kill this process.
func Attach(f *os.File, size int, readOnly bool) (r *Region, err error) {
	defer f.Close()
	seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	switch {
	case errors.Is(err, unix.EINVAL): // a file: of a program that may not make memfds
		seals = 0
	case err != nil:
		return nil, fmt.Errorf("attaching shared memory: %w", err)
	case seals&unix.F_SEAL_SHRINK == 0:
		return nil, errors.New("attaching shared memory: it is not sealed against shrinking, so it was not made by jobgen")
	}
	// Locks belong to open file descriptions, and a descriptor that was inherited or sent shares the
	// sender's: to open it again is the only way to one's own.
	own, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("attaching shared memory: opening it again: %w (is /proc mounted?)", err)
	}
	if err := checkSize(own, size); err != nil {
		own.Close()
		return nil, err
	}
	if r, err = mapRegion(own, size, readOnly || seals&(unix.F_SEAL_FUTURE_WRITE|unix.F_SEAL_WRITE) != 0); err != nil {
		own.Close()
		return nil, err
	}
	if err := r.markAttached(); err != nil {
		r.Unmap()
		return nil, fmt.Errorf("attaching shared memory: %w", err)
	}
	return r, nil
}

// populateStep is what one madvise call maps: small enough that several goroutines share the work, large enough that
// the calls do not count.
const populateStep = 8 << 20

// Commit takes memory for whole pages of the region that have not been committed before, so that no
// access to them can fail later on.
//
// MADV_POPULATE_WRITE (Linux 5.14) reports what would otherwise be a SIGBUS, and maps the pages at once:
// twice as fast as faults one by one, and large ranges are zeroed by all processors.
func (r *Region) Commit(off, n int) error {
	b := r.Bytes[off : off+n]
	err := populate(b)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = ignoringEINTR(func() error { return unix.Fallocate(int(r.File.Fd()), 0, int64(off), int64(n)) })
	}
	if err != nil {
		return noMemory("taking", n, err)
	}
	return nil
}

func populate(b []byte) error {
	pieces := (len(b) + populateStep - 1) / populateStep
	workers := min(pieces, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		return populateOne(b)
	}
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			for p := w; p < pieces && errs[w] == nil; p += workers {
				errs[w] = populateOne(b[p*populateStep : min((p+1)*populateStep, len(b))])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func populateOne(b []byte) error {
	return ignoringEINTR(func() error { return unix.Madvise(b, unix.MADV_POPULATE_WRITE) })
}

// Move maps the region elsewhere, warm as it is, so that its memory can serve another purpose while whoever still
// holds an old address is caught by a fault. It reports false if the system cannot.
func (r *Region) Move() bool {
	if r.heap || r.ReadOnly {
		return false
	}
	size := uintptr(len(r.Bytes))
	old := unsafe.Pointer(unsafe.SliceData(r.Bytes))
	// With DONTUNMAP (for shared memory since Linux 5.13) the old range stays taken, so that nothing
	// else of this process comes to lie there before it is closed off.
	moved, err := unix.MremapPtr(old, size, nil, size, unix.MREMAP_MAYMOVE|unix.MREMAP_DONTUNMAP)
	if err != nil {
		return false
	}
	quarantine(old, size)
	r.Bytes = unsafe.Slice((*byte)(moved), int(size))
	return true
}
