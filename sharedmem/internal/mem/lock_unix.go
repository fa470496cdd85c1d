//go:build linux || darwin || freebsd || netbsd || dragonfly

package mem

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// presence is a byte far behind any region: whoever has attached a region keeps a lock on it.
const presence = 1 << 62

// Lock waits for the lock on the byte at off, which need not exist, against other processes: shared
// with other readers, or not. The kernel lets go of it when this process dies. It holds against other
// processes only, and must be asked for by one goroutine at a time.
func (r *Region) Lock(off int64, shared bool) error {
	kind := int16(unix.F_WRLCK)
	if shared {
		kind = unix.F_RDLCK
	}
	return r.flock(lockWait, kind, off)
}

// Unlock lets go of a lock.
func (r *Region) Unlock(off int64) error { return r.flock(lockNow, unix.F_UNLCK, off) }

// markAttached tells the creator of the region that this process uses it.
func (r *Region) markAttached() error { return r.flock(lockNow, unix.F_RDLCK, presence) }

// Attached reports whether another process has attached the region, or may have.
func (r *Region) Attached() bool {
	if r.heap {
		return false
	}
	err := r.flock(lockNow, unix.F_WRLCK, presence)
	if err == nil {
		err = r.flock(lockNow, unix.F_UNLCK, presence)
	}
	return err != nil
}

func (r *Region) flock(cmd int, kind int16, off int64) error {
	if r.heap {
		return nil
	}
	if r.File == nil {
		return ErrNotShared
	}
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: off, Len: 1}
	return ignoringEINTR(func() error {
		conn, err := r.File.SyscallConn()
		if err != nil {
			return err
		}
		var failure error
		err = conn.Control(func(fd uintptr) { failure = unix.FcntlFlock(fd, cmd, &l) })
		return errors.Join(err, failure)
	})
}
