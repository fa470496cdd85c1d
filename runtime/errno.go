//go:build !plan9

package jobgen

import "syscall"

// errnoOf returns the number of an error of the system's. It means the same in every process of a machine.
func errnoOf(err error) (uint64, bool) {
	e, ok := err.(syscall.Errno)
	return uint64(e), ok && e != 0
}

const errBrokenPipe = syscall.EPIPE

func errnoError(n uint64, _ string) error { return syscall.Errno(n) }
