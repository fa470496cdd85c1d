package sharedmem

import (
	"slices"
	"sync"
	"time"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
)

// pool keeps the memory of arenas that were closed, for a while, for arenas that are made: it is warm,
// that is, there is no need to take it from the system, have it filled with zeros and mapped, which
// takes ten times as long as to copy it.
var pool = segmentPool{limit: 1 << 30, patience: 10 * time.Second}

type segmentPool struct {
	limit    int           // bytes
	patience time.Duration // how long memory is kept that nobody wants

	mu     sync.Mutex
	idle   []idleRegion // the latest last
	bytes  int          // committed, in idle
	expiry *time.Timer
}

type idleRegion struct {
	region           *mem.Region
	committed, dirty int
	sealed           bool
	since            time.Time
}

// put takes over a region that nobody in this process uses any more.
func (p *segmentPool) put(region *mem.Region, committed, dirty int) {
	// Whoever still holds an old address has to meet a fault, and not the next arena's data.
	if committed > p.limit/2 || !region.Move() {
		region.Unmap()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, idleRegion{region: region, committed: committed, dirty: dirty, sealed: region.Sealed(), since: time.Now()})
	p.bytes += committed
	for p.bytes > p.limit {
		p.release(0)
	}
	p.wakeLater()
}

// get returns a region of at least size bytes, but not of twice as many, or nil.
func (p *segmentPool) get(size int, sealed bool) (region *mem.Region, committed, dirty int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		r := p.idle[i]
		n := len(r.region.Bytes)
		if r.sealed != sealed || n < size || n >= 2*size && n > firstSegment || r.region.Attached() {
			continue
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		p.bytes -= r.committed
		return r.region, r.committed, r.dirty
	}
	return nil, 0, 0
}

// release gives the i-th region back to the system.
func (p *segmentPool) release(i int) {
	p.bytes -= p.idle[i].committed
	p.idle[i].region.Unmap()
	p.idle = slices.Delete(p.idle, i, i+1)
}

// wakeLater sees to it that what is not wanted for a while is released.
func (p *segmentPool) wakeLater() {
	if p.expiry == nil && len(p.idle) > 0 {
		p.expiry = time.AfterFunc(time.Until(p.idle[0].since.Add(p.patience)), p.expire)
	}
}

func (p *segmentPool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expiry = nil
	for len(p.idle) > 0 && time.Since(p.idle[0].since) >= p.patience {
		p.release(0)
	}
	p.wakeLater()
}

// TrimPool gives the memory of closed arenas, which is kept for some seconds for new ones, back to
// the system at once. It returns how many bytes that were.
func TrimPool() int64 {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	bytes := pool.bytes
	for len(pool.idle) > 0 {
		pool.release(len(pool.idle) - 1)
	}
	return int64(bytes)
}
