package sharedmem

import (
	"errors"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
)

// take finds room for size bytes with a header before them, and returns where the header is.
func (a *Arena) take(op string, size int, zeroed bool) (s *segment, base int, err error) {
	need := padded(size)
	if need < size {
		return nil, 0, &ShapeError{Op: op, Want: []int{size}, Reason: "it has more bytes than there are addresses"}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut {
		return nil, 0, a.closedError(op)
	}
	if limit := a.opts.MaxBytes; limit > 0 && a.stats.InUse+int64(size) > limit {
		return nil, 0, &BudgetError{Arena: a.what, Need: int64(size), InUse: a.stats.InUse, Limit: limit}
	}
	for i := len(a.segments) - 1; i >= 0; i-- {
		s = a.segments[i]
		if base, ok := s.free.take(need); ok {
			return s, base, a.occupy(s, base, need, size, zeroed)
		}
	}
	if s, err = a.grow(need, size); err != nil {
		return nil, 0, err
	}
	base, _ = s.free.take(need)
	return s, base, a.occupy(s, base, need, size, zeroed)
}

// padded is what an allocation of size bytes takes: a header, and whole units of 64 bytes.
func padded(size int) int { return headerSize + (size+headerSize-1)&^(headerSize-1) }

// occupy makes the part of s that was taken an allocation: it has memory, a header, and is zero if
// that is asked for.
func (a *Arena) occupy(s *segment, base, need, size int, zeroed bool) error {
	end := base + need
	if err := a.cover(s, end, size); err != nil {
		s.free.give(base, need)
		return err
	}
	b := s.region.Bytes
	if zeroed {
		clear(b[base:max(base, min(end, s.dirty))])
	} else {
		clear(b[base : base+headerSize])
	}
	s.dirty = max(s.dirty, end)
	s.taken[base] = allocation{room: need, size: size}
	word(b, base+atLength).Store(uint64(need))
	word(b, base+atHolder).Store(0)
	word(b, base+atStamp).Store(newID())
	a.stats.Arrays++
	a.stats.InUse += int64(size)
	return nil
}

// cover sees to it that there is memory for s up to end, for an allocation of size bytes.
func (a *Arena) cover(s *segment, end, size int) error {
	upto := min(mem.RoundUp(end), len(s.region.Bytes))
	if upto <= s.committed {
		return nil
	}
	if err := a.afford(upto-s.committed, size); err != nil {
		return err
	}
	return a.commit(s, upto-s.committed, size)
}

// afford returns an error if the machine has no n bytes for an allocation of size bytes.
func (a *Arena) afford(n, size int) error {
	if available, ok := machine.grant(n); !ok {
		return &BudgetError{Arena: a.what, Need: int64(size), InUse: a.stats.InUse, Available: available}
	}
	return nil
}

// commit takes memory for the next n bytes of s.
func (a *Arena) commit(s *segment, n, size int) error {
	if err := s.region.Commit(s.committed, n); err != nil {
		return &BudgetError{Arena: a.what, Need: int64(size), InUse: a.stats.InUse, Err: err}
	}
	s.committed += n
	return nil
}

// grow adds a segment with room for need bytes.
func (a *Arena) grow(need, size int) (*segment, error) {
	a.shrink()
	want := firstSegment
	if n := len(a.segments); n > 0 {
		want = min(2*len(a.segments[n-1].region.Bytes), maxSegment)
	}
	want = mem.RoundUp(max(want, headerSize+need))
	first := mem.RoundUp(headerSize + need)
	region, committed, dirty := pool.get(want, a.opts.ReadOnly)
	if region == nil {
		err := a.afford(first, size)
		if err != nil {
			return nil, err
		}
		if region, err = mem.Create(want, a.opts.ReadOnly); err != nil {
			if !errors.Is(err, mem.ErrNoMemory) {
				return nil, err
			}
			return nil, &BudgetError{Arena: a.what, Need: int64(size), InUse: a.stats.InUse, Err: err}
		}
	} else {
		a.stats.Recycled++
	}
	s := &segment{core: a.core, region: region, committed: committed, dirty: max(dirty, headerSize)}
	s.empty()
	if s.committed == 0 {
		if err := a.commit(s, first, size); err != nil {
			region.Unmap()
			return nil, err
		}
	}
	s.register(newID())
	word(region.Bytes, 0).Store(segmentMagic)
	word(region.Bytes, atID).Store(s.id)
	a.segments = append(a.segments, s)
	return s, nil
}

// shrink gives segments away in which there is nothing, so that memory that is of no use does not add up.
func (a *Arena) shrink() {
	kept := a.segments[:0]
	for _, s := range a.segments {
		if len(s.taken) == 0 {
			s.discard()
			continue
		}
		kept = append(kept, s)
	}
	clear(a.segments[len(kept):])
	a.segments = kept
}
