//go:build unix

package cluster

import "syscall"

// processLives reports whether this machine has a process with the id.
func processLives(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}
