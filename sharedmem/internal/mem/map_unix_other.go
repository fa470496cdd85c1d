//go:build darwin || freebsd || netbsd || dragonfly

package mem

import "os"

const mapNoReserve = 0

// Reserve does nothing: these systems have no call that fills the holes of a file.
func Reserve(*os.File, int64, int64) error { return nil }
