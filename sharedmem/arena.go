package sharedmem

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
)

// Arena is memory for arrays. It grows by segments, which never move, and gives all of it back at once, with
// Close. On systems where it can, other processes see the same memory.
//
// All methods may be called concurrently.
type Arena struct {
	owner
	opts ArenaOptions

	// Guarded by owner.mu.
	segments []*segment
	stats    ArenaStats
	blocks   int // from Allocate, that were not freed
}

// ArenaOptions are the properties of an arena. The zero value is right for most.
type ArenaOptions struct {
	// Name is what errors and log records call the arena. The default is a number.
	Name string

	// MaxBytes is how many bytes its arrays may have together, before an allocation fails with a
	// [*BudgetError]. 0 means as many as the machine has: whatever the limit, an allocation that is larger than the
	// memory that is available fails too, where the system tells (Linux does).
	MaxBytes int64

	// ReadOnly makes arrays that no other process can write to: the input of a run. On Linux the kernel
	// sees to it (F_SEAL_FUTURE_WRITE); elsewhere other processes map them for reading. In the process
	// that made the arena they can be written.
	ReadOnly bool

	// CloseTimeout is how long Close waits for those who are inside View or hold a lock. 0 means 10 seconds.
	CloseTimeout time.Duration

	// Logger is told if the arena is never closed. The default is slog.Default.
	Logger *slog.Logger
}

// ArenaStats says what an arena holds, in bytes unless it says otherwise.
type ArenaStats struct {
	Arrays    int   // the number of arrays, and of blocks from Allocate
	InUse     int64 // what their elements take
	Committed int64 // memory taken from the system: what is in use, what was freed, and what lies between
	Reserved  int64 // the size of all segments: addresses, not memory
	Segments  int   // their number
	Recycled  int   // how many of them came warm from arenas that were closed
	Copied    int64 // what CopyOf and Stack have copied since the arena was made
	Shared    bool  // whether other processes can see the arrays (will be able to, before there are any); false under the race detector and where the system has no shared memory
}

// The first segment is small, and each new one has twice the size of the one before, up to a limit.
// An array that is larger has a segment for itself.
const (
	firstSegment = 1 << 20
	maxSegment   = 64 << 20
)

const defaultCloseTimeout = 10 * time.Second

var arenasMade atomic.Int64

// NewArena makes an arena that has no memory yet. The error is for options that make no sense.
//
// It has to be closed. One that is forgotten is reported, once, by a record in the log.
func NewArena(opts ArenaOptions) (*Arena, error) {
	if opts.MaxBytes < 0 || opts.CloseTimeout < 0 {
		return nil, fmt.Errorf("sharedmem: NewArena: MaxBytes %d, CloseTimeout %v: must not be negative", opts.MaxBytes, opts.CloseTimeout)
	}
	if opts.CloseTimeout == 0 {
		opts.CloseTimeout = defaultCloseTimeout
	}
	a := &Arena{opts: opts}
	what := fmt.Sprintf("arena %q", opts.Name)
	if opts.Name == "" {
		what = fmt.Sprintf("arena %d", arenasMade.Add(1))
	}
	a.init(what, opts.Logger)
	return a, nil
}

// Stats returns what the arena holds now.
func (a *Arena) Stats() ArenaStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	s.Shared = mem.CanShare
	for _, seg := range a.segments {
		s.Segments++
		s.Reserved += int64(len(seg.region.Bytes))
		s.Committed += int64(seg.committed)
		s.Shared = s.Shared && seg.region.Shareable()
	}
	return s
}

// String returns the arena's name.
func (a *Arena) String() string { return a.what }

// Close ends all arrays of the arena and gives its memory back: to the system, or to arenas that are
// made soon. It waits for those who are inside View or hold a lock, up to CloseTimeout; if they are still there
// it returns a [*BusyError] that names them, and the arena is as it was. A second Close does nothing. It does not know of
// arrays in other processes: what has one already there goes on with memory of its own.
func (a *Arena) Close() error {
	return a.close(a.opts.CloseTimeout, func() error {
		a.drop()
		return nil
	})
}

// Reset ends all arrays of the arena, and keeps its memory for new ones. It fails at once, with a
// [*BusyError], if somebody is inside View, holds a lock, or has bytes from Allocate that were not
// freed; and with [ErrClosed] if the arena was closed.
func (a *Arena) Reset() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut {
		return a.closedError("Reset")
	}
	if err := a.busy(); err != nil {
		return err
	}
	if a.blocks > 0 {
		return &BusyError{What: a.what, Holders: []string{fmt.Sprintf("%d blocks of bytes from Allocate", a.blocks)}}
	}
	a.end(&ending{how: "was reset", at: here()})
	clear(a.locks)
	for _, s := range a.segments {
		for off := range s.taken {
			word(s.region.Bytes, off+atStamp).Store(0)
		}
		s.empty()
	}
	a.stats.Arrays, a.stats.InUse = 0, 0
	return nil
}

func (c *core) closedError(op string) error {
	return fmt.Errorf("sharedmem: %s on %s: %w", op, c.what, ErrClosed)
}

// drop gives all segments away. a.mu is held, and no array is alive.
func (a *Arena) drop() {
	for _, s := range a.segments {
		s.discard()
	}
	a.segments, a.locks, a.blocks = nil, nil, 0
	a.stats = ArenaStats{Copied: a.stats.Copied}
}

// empty makes the whole segment free.
func (s *segment) empty() {
	s.taken = map[int]allocation{}
	s.free = extents{{headerSize, len(s.region.Bytes) - headerSize}}
}

// discard ends a segment. What it leaves may be used again by another arena.
func (s *segment) discard() {
	s.retire()
	for off := range s.taken {
		word(s.region.Bytes, off+atStamp).Store(0) // other processes may hold handles
	}
	word(s.region.Bytes, atID).Store(0)
	pool.put(s.region, s.committed, s.dirty)
}
