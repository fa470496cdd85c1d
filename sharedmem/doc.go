// Package sharedmem holds large numeric arrays where other processes can use them without a copy.
//
// An [Arena] is memory that processes share. Arrays are born in it with [Alloc], or copied into it with
// [CopyOf] and [Stack]; [OpenNPY] maps a file of NumPy's. An [Array] is a small handle: given to a worker in
// another process it costs some tens of bytes, and the worker sees the same memory.
//
//	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
//	defer arena.Close()
//	a, err := sharedmem.Alloc[float64](arena, 1000, 3)
//	a.Set(1.5, 0, 2)               // one element
//	row := a.Sub(0).Slice()        // a []float64 of the same memory
//
// # What is promised
//
//   - Memory: no name in a file system (Linux), so nothing is left behind by a program that is killed. What there
//     is no memory for is an error, never a SIGBUS later on.
//   - Ends: after Close every use of an array is a panic that names it. Close waits for those inside
//     [Array.View]. A Close that was forgotten is reported in the log.
//   - Handles: what arrives from elsewhere is checked, and cannot lead out of its array.
//   - Locks: there are none, until somebody calls [Array.Lock], which also tells that the last owner died.
//
// # Systems
//
// On Linux arenas are memfds, sealed against shrinking. On macOS, the BSDs and Windows they are
// temporary files that have no name, or lose it with their last handle. Elsewhere, and always under the
// race detector, which sees races nowhere else, they are on the Go heap: arrays work then, in one
// process.
//
// # In place, with other libraries
//
// [Array.Slice] is a plain slice: mat.NewDense(r, c, a.Slice()) makes gonum work in an array. An Arena
// is a memory.Allocator of Apache Arrow. The examples of both are in the module
// github.com/jobgen/jobgen/sharedmem/interop, so that neither is a dependency of this one.
package sharedmem
