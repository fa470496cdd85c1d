package jobgen

import "time"

// SetCloseSlow changes how long it takes until somebody is told that a Close is waited for.
func SetCloseSlow(d time.Duration) (restore func()) {
	old := closeSlow
	closeSlow = d
	return func() { closeSlow = old }
}

// SetHelloTime changes how long a child may take to say that it is a worker.
func SetHelloTime(d time.Duration) (restore func()) {
	old := helloTime
	helloTime = d
	return func() { helloTime = old }
}
