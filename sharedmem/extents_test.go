package sharedmem

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The free parts are compared with a bitmap.
func TestExtents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 64
		x := extents{{0, size}}
		taken := map[int]int{}
		check := func() {
			var used [size]bool
			for off, n := range taken {
				for i := off; i < off+n; i++ {
					if used[i] {
						t.Fatalf("%d is taken twice", i)
					}
					used[i] = true
				}
			}
			var want extents
			for i, u := range used {
				switch {
				case u:
				case i > 0 && !used[i-1]:
					want[len(want)-1].size++
				default:
					want = append(want, extent{i, 1})
				}
			}
			if !slices.Equal(x, want) {
				t.Fatalf("free are %v, want %v", x, want)
			}
		}
		pick := func() (int, bool) {
			if len(taken) == 0 {
				return 0, false
			}
			var offs []int
			for off := range taken {
				offs = append(offs, off)
			}
			slices.Sort(offs)
			return rapid.SampledFrom(offs).Draw(t, "which"), true
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			n := rapid.IntRange(1, 12).Draw(t, "size")
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				if off, ok := x.take(n); ok {
					taken[off] = n
				} else if slices.ContainsFunc(x, func(e extent) bool { return e.size >= n }) {
					t.Fatalf("there is room for %d in %v", n, x)
				}
			case 1:
				if off, ok := pick(); ok {
					x.give(off, taken[off])
					delete(taken, off)
				}
			case 2:
				if off, ok := pick(); ok && x.extend(off+taken[off], n) {
					taken[off] += n
				}
			}
			check()
		}
	})
}
