package sharedmem

import "fmt"

// The methods of this file make an Arena a memory.Allocator of Apache Arrow
// (github.com/apache/arrow-go/v18/arrow/memory), so that Arrow's arrays are built in an arena, under
// its budget. They serve whoever wants bytes. Such bytes have no handle: what is to reach another
// process is written to an Array[byte].

// Allocate returns size bytes of zeros, at an address that is a multiple of 64. It panics with the
// error that Alloc would return, as an allocator has no other way to say it. The bytes are good until
// Free, or Close, which does not wait for them; Reset refuses as long as there are any.
func (a *Arena) Allocate(size int) []byte {
	if size < 0 {
		panic(misuse(fmt.Sprintf("sharedmem: Allocate(%d): must not be negative", size)))
	}
	if size == 0 {
		return []byte{}
	}
	s, base, err := a.take("Allocate", size, true)
	if err != nil {
		panic(err)
	}
	a.markBlock(s, base)
	off := base + headerSize
	return s.region.Bytes[off : off+size : off+size]
}

func (a *Arena) markBlock(s *segment, base int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := s.taken[base]; ok { // it may have been closed meanwhile
		t.block = true
		s.taken[base] = t
		a.blocks++
	}
}

// Reallocate returns size bytes that begin with those of b, and frees b. Where there is room behind b
// it grows in its place, and nothing is copied; elsewhere both are there for a moment, also for
// MaxBytes. b is what Allocate or Reallocate returned, or empty. It panics as Allocate and Free do, and
// b is as it was then.
func (a *Arena) Reallocate(size int, b []byte) []byte {
	if size < 0 {
		panic(misuse(fmt.Sprintf("sharedmem: Reallocate(%d): must not be negative", size)))
	}
	a.mustOwn("Reallocate", b)
	if grown, ok := a.resize(size, b); ok {
		return grown
	}
	c := a.Allocate(size)
	copy(c, b)
	a.Free(b)
	return c
}

// Free gives back bytes that Allocate or Reallocate returned. It panics if they were freed before, or are of another
// arena. Bytes of an arena that is closed are gone already: to free them does nothing.
func (a *Arena) Free(b []byte) {
	a.mustOwn("Free", b)
	a.mu.Lock()
	defer a.mu.Unlock()
	s, base := a.find(b)
	if s == nil {
		return // empty, or closed
	}
	old := s.taken[base]
	word(s.region.Bytes, base+atStamp).Store(0)
	s.free.give(base, old.room)
	delete(s.taken, base)
	a.blocks--
	a.stats.Arrays--
	a.stats.InUse -= int64(old.size)
}

// mustOwn panics unless b is a block of the arena, or empty, or the arena is closed.
func (a *Arena) mustOwn(op string, b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, _ := a.find(b); s == nil && cap(b) > 0 && !a.shut {
		panic(misuse(fmt.Sprintf("sharedmem: %s of %d bytes that %s has not allocated, or has freed before", op, len(b), a.what)))
	}
}

// find returns the block whose bytes b are, or nil. a.mu is held.
func (a *Arena) find(b []byte) (*segment, int) {
	if cap(b) == 0 {
		return nil, 0
	}
	for _, s := range a.segments {
		if off, ok := offsetIn(s.region.Bytes, b); ok {
			if s.taken[off-headerSize].block {
				return s, off - headerSize
			}
		}
	}
	return nil, 0
}

// resize changes the size of an allocation in its place, and reports false if it cannot.
func (a *Arena) resize(size int, b []byte) ([]byte, bool) {
	if size == 0 {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, base := a.find(b)
	if a.shut || s == nil {
		return nil, false
	}
	old, room := s.taken[base], padded(size)
	if limit := a.opts.MaxBytes; limit > 0 && a.stats.InUse+int64(size-old.size) > limit {
		return nil, false // Allocate says why
	}
	switch {
	case room < old.room:
		s.free.give(base+room, old.room-room)
	case room > old.room && !s.free.extend(base+old.room, room-old.room):
		return nil, false
	}
	if err := a.cover(s, base+room, size); err != nil {
		s.free.give(base+old.room, room-old.room)
		return nil, false
	}
	s.taken[base] = allocation{room: room, size: size, block: true}
	word(s.region.Bytes, base+atLength).Store(uint64(room))
	a.stats.InUse += int64(size - old.size)
	off := base + headerSize
	grown := s.region.Bytes[off : off+size : off+size]
	if size > old.size {
		clear(grown[old.size:])
		s.dirty = max(s.dirty, off+size)
	}
	return grown, true
}
