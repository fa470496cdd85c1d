package jobgen

import (
	"sync/atomic"
	"unsafe"

	"github.com/jobgen/jobgen/sharedmem"
)

// The board is a row of numbers for each worker, in shared memory: what it is doing. It can still be
// read when the worker is dead.
const (
	boardPhase = iota
	boardJob
	boardSince // when the job began, in nanoseconds since 1970
	boardWidth = 8
)

// Phases of a worker.
const (
	atRest   int64 = iota
	inConfig       // decoding its configuration
	inSetup
	inDecode // decoding a job's input
	inJob    // or encoding its result
	inClose
)

// noter is told what a worker is about to do, and with which job.
type noter func(phase int64, job int)

// boardWord is a number on the board, which both processes look at.
func boardWord(board sharedmem.Array[int64], row, i int) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Pointer(&board.Sub(row).Slice()[i]))
}

// jot stores v as Store does, without waiting until other processors see it, which counts where it is done several times
// for each job. Whoever reads the word when this process is dead sees the last value, since the kernel was in between;
// before that, perhaps an older one.
func jot(w *atomic.Int64, v int64) { *(*int64)(unsafe.Pointer(w)) = v }
