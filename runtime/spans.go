package jobgen

import (
	"cmp"
	"slices"
	"sort"
)

// span is the jobs lo … hi-1.
type span struct{ lo, hi int64 }

func (s span) len() int { return int(s.hi - s.lo) }

// spans are sets of jobs; after tidy they are sorted and disjoint.
type spans []span

func (s spans) tidy() spans {
	slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	out := s[:0]
	for _, x := range s {
		if n := len(out); n > 0 && x.lo <= out[n-1].hi {
			out[n-1].hi = max(out[n-1].hi, x.hi)
		} else if x.lo < x.hi {
			out = append(out, x)
		}
	}
	return out
}

func (s spans) contain(i int64) bool {
	k := sort.Search(len(s), func(k int) bool { return s[k].hi > i })
	return k < len(s) && s[k].lo <= i
}
