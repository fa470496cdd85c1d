//go:build linux && !race

package main

import (
	"errors"
	"runtime"
)

var leaks = []deed{{"leaked memory", leak, lost}}

// memoryLimit is what a process may have: enough for all that the other jobs do.
const memoryLimit = 256 << 20

// leak keeps all that it allocates, and does not use it: the limit counts what a process has asked for. It
// gives up at twice the limit, in case that does not hold.
func leak() error {
	const step = 1 << 20
	var leaked [2 * memoryLimit / step][]byte
	for i := range leaked {
		leaked[i] = make([]byte, step)
	}
	runtime.KeepAlive(&leaked)
	return errors.New("the memory limit does not hold")
}
