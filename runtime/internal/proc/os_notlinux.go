//go:build !linux

package proc

import (
	"errors"
	"os"
)

func widen(*os.File) {}

// PreferToDie does nothing on this system.
func PreferToDie() {}

// CanLimitMemory says whether LimitMemory does.
const CanLimitMemory = false

// LimitMemory fails: no limit of this system is of use.
func LimitMemory(int64) error { return errors.ErrUnsupported }

func killOrphans(*os.Process) {}

// MemoryKills returns -1: this system does not say.
func MemoryKills() int64 { return -1 }

// NameProcess does nothing on this system.
func NameProcess(string) {}
