package mem

import (
	"os"

	"golang.org/x/sys/unix"
)

const mapNoReserve = unix.MAP_NORESERVE // addresses only

// Reserve takes disk space for a part of a file that has holes, so that a write to the mapping
// cannot meet a full disk, which would be a SIGBUS. File systems that cannot do it are left alone.
func Reserve(f *os.File, off, n int64) error {
	err := ignoringEINTR(func() error { return unix.Fallocate(int(f.Fd()), 0, off, n) })
	if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
		return nil
	}
	return err
}
