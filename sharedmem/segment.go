package sharedmem

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
)

// segment is a piece of memory in which arrays lie. Its size never changes, and it never moves while
// its owner is open.
//
// A segment of an arena begins with its id, and each allocation in it with a stamp, so that a handle
// that arrives late, in whatever process, is seen to be stale: see headerSize.
type segment struct {
	id     uint64
	core   *core
	region *mem.Region
	file   string // the name of the file that is mapped; "" for memory …
	data   int    // … and where its data begin
	copy   string // the name of the file that stands for memory of another machine

	// What follows is the arena's.
	free      extents
	taken     map[int]allocation // by offset
	committed int                // bytes from the beginning for which there is memory
	dirty     int                // bytes from the beginning that may not be zero
}

// allocation is a part of a segment that was taken.
type allocation struct {
	room int // bytes, with the header and what is there to fill it up
	size int // bytes that were asked for

	block bool // it is bytes from Allocate, not an array
}

// headerSize is what stands before the segment's first allocation, and before each allocation's data.
// 64 bytes is what Arrow and wide vector instructions want to be aligned to. All fields are 8 bytes, in
// the machine's order.
const headerSize = 64

const (
	segmentMagic = 0x31676573_6e6562_6a // "jbnseg1", in the first word
	atID         = 8                    // the segment's id

	atStamp  = 0  // of an allocation: a random number that no other has
	atLength = 8  // its size, header included
	atHolder = 16 // the process that holds its lock exclusively; 0: none
)

// registry finds segments by id, for handles that arrive, and by address, for faults.
var registry struct {
	sync.RWMutex
	segments map[uint64]*segment
	missing  func(id uint64) (Segment, *os.File, error)
	fetched  map[uint64]*Attachment // what missing was asked for
	past     []pastRange            // what was closed last, the oldest first
}

// pastRange remembers what was at some addresses.
type pastRange struct {
	lo, hi uintptr
	what   string
}

const maxPast = 1024

func newID() uint64 {
	for {
		if id := rand.Uint64(); id != 0 {
			return id
		}
	}
}

// register gives the segment an id and makes it known.
func (s *segment) register(id uint64) {
	s.id = id
	registry.Lock()
	defer registry.Unlock()
	if registry.segments == nil {
		registry.segments = map[uint64]*segment{}
	}
	registry.segments[id] = s
}

// retire makes the segment unknown, and remembers what it was. core.mu is held.
func (s *segment) retire() {
	lo := s.region.Addr()
	registry.Lock()
	defer registry.Unlock()
	if registry.segments[s.id] == s {
		delete(registry.segments, s.id)
	}
	if len(registry.past) == maxPast {
		registry.past = append(registry.past[:0], registry.past[1:]...)
	}
	what := s.core.what
	if e := s.core.ended; e != nil {
		what = e.tell(what)
	}
	registry.past = append(registry.past, pastRange{lo, lo + uintptr(len(s.region.Bytes)), what})
}

// segmentAt names what lies at an address, or lay there.
func segmentAt(addr uintptr) (what string, ok bool) {
	registry.RLock()
	defer registry.RUnlock()
	for _, s := range registry.segments {
		if lo := s.region.Addr(); addr >= lo && addr-lo < uintptr(len(s.region.Bytes)) {
			return s.about(int(addr - lo)), true
		}
	}
	for i := len(registry.past) - 1; i >= 0; i-- {
		if p := registry.past[i]; addr >= p.lo && addr < p.hi {
			return p.what, true
		}
	}
	return "", false
}

// about says why an access at an offset can have failed.
func (s *segment) about(off int) string {
	switch {
	case s.file != "":
		if info, err := os.Stat(s.file); err == nil && info.Size() <= int64(off) {
			return fmt.Sprintf("%s, which was cut to %d bytes while it was mapped", s.core.what, info.Size())
		}
	case !s.region.ReadOnly:
		return s.core.what
	}
	if s.region.ReadOnly {
		return s.core.what + ", which is read-only"
	}
	return s.core.what
}

// closeSegment ends the arrays of an owner that has one segment, and unmaps it.
func (o *owner) closeSegment(s *segment, patience time.Duration) error {
	return o.close(patience, func() error {
		err := error(nil)
		if s.file != "" {
			err = s.region.Flush()
		}
		s.retire()
		s.region.Unmap()
		return err
	})
}
