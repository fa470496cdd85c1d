package sharedmem

import (
	"sync"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
)

// machine watches over the memory of the machine: the kernel hands out what it has not got (1 TB, when
// asked), and kills a process when that is touched.
var machine guard

// guard asks the system how much memory is left, but not for every small piece.
type guard struct {
	mu      sync.Mutex
	granted int // since it was asked
}

const (
	unasked = 16 << 20 // is granted before the system is asked again
	spare   = 64 << 20 // is left for everybody else
)

// grant reports whether n bytes may be taken, and what the system has if not.
func (g *guard) grant(n int) (available int64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.granted += n; g.granted < unasked {
		return 0, true
	}
	available, known := mem.Available()
	if known && int64(n) > available-spare && TrimPool() > 0 {
		available, known = mem.Available()
	}
	if known && int64(n) > available-spare {
		g.granted -= n
		return max(available, 0), false
	}
	g.granted = 0
	return available, true
}
