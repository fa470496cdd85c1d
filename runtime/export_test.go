package jobgen

import "time"

// SetCloseSlow changes how long it takes until somebody is told that a Close is waited for.
func SetCloseSlow(d time.Duration) (restore func()) {
	old := closeSlow
	closeSlow = d
	return func() { closeSlow = old }
}

// ProcessBackend is what Processes uses, for tests that stand between it and the runtime.
func ProcessBackend() Backend { return processes{} }
