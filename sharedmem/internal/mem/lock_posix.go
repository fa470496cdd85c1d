//go:build darwin || freebsd || netbsd || dragonfly

package mem

import "golang.org/x/sys/unix"

// Locks of processes: they are told apart although descriptors that were inherited are of one description.
const (
	lockNow  = unix.F_SETLK
	lockWait = unix.F_SETLKW
)
