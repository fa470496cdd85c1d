package jobgen

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Init lets the program serve as its own worker. It comes first in main and in TestMain. Where the
// program was started by hand or by another program it returns at once; started as a worker by a
// backend, which sets JOBGEN_WORKER, it runs jobs and ends the process.
func Init() {
	inited.Store(true)
	address := os.Getenv(envWorker)
	if address == "" {
		return
	}
	os.Unsetenv(envWorker) // for the processes that jobs start
	os.Exit(serve(address))
}

// initializing reports whether the caller is in the initialization of packages, which comes before main can call Init.
func initializing() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "runtime.doInit") {
			return true
		}
		if !more {
			return false
		}
	}
}

// serve is a worker's life. It returns the exit status.
func serve(address string) int {
	name, _, _ := strings.Cut(address, ":")
	schemes.Lock()
	s := schemes.byName[name]
	schemes.Unlock()
	if s.Serve == nil {
		fmt.Fprintf(os.Stderr, "jobgen: %s=%s: this program has no backend called %q to be a worker of; %s\n", envWorker, shownAddress(address), name, otherBackends)
		return 2
	}
	if err := s.Serve(address); err != nil {
		fmt.Fprintf(os.Stderr, "jobgen: worker: %v\n", err)
		return 1
	}
	return 0
}
