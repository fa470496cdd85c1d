//go:build !linux

package proc

import "os"

func widen(*os.File) {}

// PreferToDie does nothing on this system.
func PreferToDie() {}
