package sharedmem

import (
	"cmp"
	"slices"
)

// extents are the free parts of a segment, by offset; no two of them touch. The lowest that fits is
// taken, so that a segment fills from its beginning, and what lies behind is never touched.
type extents []extent

type extent struct{ off, size int }

func compareOffset(e extent, off int) int { return cmp.Compare(e.off, off) }

// take finds size bytes, and reports false if there is no such part.
func (x *extents) take(size int) (off int, ok bool) {
	for i, e := range *x {
		if e.size < size {
			continue
		}
		if e.size == size {
			*x = slices.Delete(*x, i, i+1)
		} else {
			(*x)[i] = extent{e.off + size, e.size - size}
		}
		return e.off, true
	}
	return 0, false
}

// extend makes the taken part that ends at end longer by size bytes, and reports false if those are not free.
func (x *extents) extend(end, size int) bool {
	i, found := slices.BinarySearchFunc(*x, end, compareOffset)
	if !found || (*x)[i].size < size {
		return false
	}
	if e := &(*x)[i]; e.size == size {
		*x = slices.Delete(*x, i, i+1)
	} else {
		e.off, e.size = e.off+size, e.size-size
	}
	return true
}

// give frees a part that was taken.
func (x *extents) give(off, size int) {
	i, _ := slices.BinarySearchFunc(*x, off, compareOffset)
	before := i > 0 && (*x)[i-1].off+(*x)[i-1].size == off
	after := i < len(*x) && off+size == (*x)[i].off
	switch {
	case before && after:
		(*x)[i-1].size += size + (*x)[i].size
		*x = slices.Delete(*x, i, i+1)
	case before:
		(*x)[i-1].size += size
	case after:
		(*x)[i] = extent{off, size + (*x)[i].size}
	default:
		*x = slices.Insert(*x, i, extent{off, size})
	}
}
