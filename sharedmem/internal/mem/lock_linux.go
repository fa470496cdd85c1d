package mem

import "golang.org/x/sys/unix"

// Locks of open file descriptions (fcntl(2), Linux 3.15). The older kind, of processes, is lost when
// the process closes any descriptor of the same file.
const (
	lockNow  = unix.F_OFD_SETLK
	lockWait = unix.F_OFD_SETLKW
)
