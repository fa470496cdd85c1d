package proc

import "runtime"

// StoresInOrder says that other processors see the stores of this one in the order in which they are made, so that a plain
// store tells them that what was written before it is there, too: Intel's manual, volume 3, "Memory Ordering in P6 and More
// Recent Processor Families". The race detector goes by Go's memory model, which promises less.
const StoresInOrder = !raceEnabled && runtime.GOARCH == "amd64"
