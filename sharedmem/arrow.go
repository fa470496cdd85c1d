package sharedmem

import "fmt"

// The methods of this file make an Arena a memory.Allocator of Apache Arrow
// (github.com/apache/arrow-go/v18/arrow/memory), so that Arrow's arrays are born where other processes can see them. They serve whoever
// wants bytes.

// Allocate returns size bytes of zeros, at an address that is a multiple of 64. It panics with the error that Alloc would
// return, as an allocator has no other way to say it.
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
	off := base + headerSize
	return s.region.Bytes[off : off+size : off+size]
}

// Reallocate returns size bytes that begin with those of b, and frees b. Where there is room behind b it
// grows in its place, and nothing is copied. b is what Allocate or Reallocate returned, or empty. It panics as Allocate does.
func (a *Arena) Reallocate(size int, b []byte) []byte {
	if size < 0 {
		panic(misuse(fmt.Sprintf("sharedmem: Reallocate(%d): must not be negative", size)))
	}
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
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut || cap(b) == 0 {
		return
	}
	s, base := a.find(b)
	if s == nil {
		panic(misuse(fmt.Sprintf("sharedmem: Free of %d bytes that %s has not allocated, or has freed before", len(b), a.what)))
	}
	word(s.region.Bytes, base+atStamp).Store(0)
	old := s.taken[base]
	s.free.give(base, old.room)
	delete(s.taken, base)
	a.stats.Arrays--
	a.stats.InUse -= int64(old.size)
}

// find returns the allocation whose bytes b are. a.mu is held.
func (a *Arena) find(b []byte) (*segment, int) {
	for _, s := range a.segments {
		if off, ok := offsetIn(s.region.Bytes, b); ok {
			if _, taken := s.taken[off-headerSize]; taken {
				return s, off - headerSize
			}
		}
	}
	return nil, 0
}

// resize changes the size of an allocation in its place, and reports false if it cannot.
func (a *Arena) resize(size int, b []byte) ([]byte, bool) {
	if size == 0 || cap(b) == 0 {
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
	s.taken[base] = allocation{room, size}
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
