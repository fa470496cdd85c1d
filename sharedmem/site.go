package sharedmem

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// site is a place in the program. Which line it is, is found out when somebody asks.
type site struct{ pcs [6]uintptr }

// here is the place that called this package, however many functions of it are between.
func here() (s site) {
	runtime.Callers(2, s.pcs[:])
	return s
}

// ownPackage begins the names of this package's functions, but not of its tests', which are in another package.
const ownPackage = "github.com/jobgen/jobgen/sharedmem."

func (s site) String() string {
	if s.pcs[0] == 0 {
		return "an unknown place"
	}
	frames := runtime.CallersFrames(s.pcs[:])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, ownPackage) || !more {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
	}
}
