package proc

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Area is memory that the writer of frames shares with their reader in the other process, beside the pipe between them.
// It says how much is in the pipe, so that a reader that expects an answer soon need not be woken; and frames too large for
// a pipe to be quick lie in it. Whatever an area cannot do the pipe does: nobody waits for room in one.
type Area struct {
	written *atomic.Int64 // bytes that the writer has put into the pipe
	done    *atomic.Int64 // frames in the area that the reader has done with
	room    []byte
	back    func(n int) error // sees to it that there is memory for the first n bytes of room

	// The writer's own.
	placed int64 // frames, so far
	used   int   // of room, by frames that the reader may not have done with
	backed int   // of room
	missed int   // bytes that the pipe had to take because room was not backed
	least  int   // bytes of a frame that is worth laying there

	// The reader's own.
	got    int64 // bytes from the pipe
	misses int   // waits in a row that were too long to spin for …
	skip   int   // … and how many of the next ones are not tried
}

// An area begins with its two numbers, each on lines of the cache of its own. Those of both directions are on a page.
const (
	atWritten  = 0
	atDone     = 128
	areaHead   = 256
	sharedHead = 4096
)

// areas divides shared memory among the directions: to the child, and from it.
func areas(mem []byte, back func(from, n int) error) (in, out *Area) {
	size := (len(mem) - sharedHead) / 2
	area := func(i int) *Area {
		from := sharedHead + i*size
		return &Area{
			written: number(mem, i*areaHead+atWritten), done: number(mem, i*areaHead+atDone),
			room: mem[from : from+size : from+size], least: largeFrame,
			back: func(n int) error { return back(from, n) },
		}
	}
	return area(0), area(1)
}

// place lays a frame of n bytes into the area, and returns where; false if the pipe is the better way. It is when the
// reader has not done with what lies there and nothing is left beside it, and when the memory has to be taken from the
// system first: for one frame that takes longer than the pipe. So it is taken when so many bytes have gone through the pipe
// for the want of it.
func (a *Area) place(n int, parts [][]byte) (off int, ok bool) {
	if n < a.least {
		return 0, false
	}
	if a.done.Load() == a.placed {
		a.used = 0
	}
	const page = 4096
	end := a.used + (n+page-1)&^(page-1)
	if end < n || end > len(a.room) {
		return 0, false
	}
	if end > a.backed {
		if a.missed < end {
			a.missed += end
			return 0, false
		}
		// Without this a machine that is out of memory would show it by a fault in the middle of the copy.
		if a.back(end) != nil {
			a.room = a.room[:a.backed]
			return 0, false
		}
		a.backed = end
	}
	off = a.used
	to := a.room[off:]
	for _, p := range parts {
		to = to[copy(to, p):]
	}
	a.placed++
	a.used = end
	return off, true
}

// A frame in the area has a frame in the pipe that says where it lies.
const placeSize = 8 + 8

func appendPlace(b []byte, off, n int) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(off))
	return binary.LittleEndian.AppendUint64(b, uint64(n))
}

// find returns the frame whose place is given. The other process could write to it while it is read, as it could lie in
// a pipe: it is the same program.
func (a *Area) find(place []byte) ([]byte, error) {
	if a == nil || len(place) != placeSize {
		return nil, fmt.Errorf("%w: a frame lies in memory that is not shared", ErrDamaged)
	}
	off, n := binary.LittleEndian.Uint64(place), binary.LittleEndian.Uint64(place[8:])
	if size := uint64(len(a.room)); off > size || n > size-off {
		return nil, fmt.Errorf("%w: a frame of %d bytes at %d in a memory of %d", ErrDamaged, n, off, size)
	}
	return a.room[off : off+n : off+n], nil
}

const (
	// spinTime is how long a reader looks for news itself before it has itself woken, which takes about as long.
	spinTime   = 25 * time.Microsecond
	mostSkips  = 63
	spinRounds = 30 // looks between two that let others run
)

// spins says that there are processors for two sides to be awake at a time.
var spins = runtime.NumCPU() > 1

// spin looks for a short time whether something comes into the pipe. Where that did not help it is not tried for a
// while, so that jobs that take long have the processors for themselves.
func (a *Area) spin() {
	if a.written.Load() > a.got || !spins {
		return
	}
	if a.skip > 0 {
		a.skip--
		return
	}
	for start := time.Now(); ; {
		for range spinRounds {
			if a.written.Load() > a.got {
				a.misses = 0
				return
			}
		}
		yield()
		if time.Since(start) > spinTime {
			break
		}
	}
	a.misses = min(2*a.misses+1, mostSkips)
	a.skip = a.misses
}
