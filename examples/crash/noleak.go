//go:build !linux || race

package main

// leaks is empty: jobgen cannot limit memory on this system, or the race detector needs more than any limit
// that would be of use.
var leaks []deed

const memoryLimit = 0 // none
