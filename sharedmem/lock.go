package sharedmem

import (
	"fmt"
	"os"
	"sync"
)

// lockKey names the lock of an allocation, which an array shares with its windows.
type lockKey struct {
	seg  *segment
	base int
}

// lock is an array's lock within this process. Against other processes there is a lock on the file, which
// one goroutine holds for all of them: the kernel cannot tell goroutines apart.
type lock struct {
	local sync.RWMutex

	mu      sync.Mutex
	readers int
	writer  bool
	pins    []*pin // of who holds it
}

// Lock waits until nobody else, in this process or another, has locked the array or a window of it, and
// locks it. Nothing is ever locked unasked.
//
// It reports whether the process that had locked it last died before it unlocked it, so that what it
// was writing may be half written. The caller holds the lock in any case, and Unlock makes up for it.
// (Arrays of mapped files have no place to note that, and report false.) Lock and Unlock together take
// 3 µs.
//
// Close of the arena waits for Unlock. Lock panics if the array has ended, or if this process must not write it.
func (a Array[T]) Lock() (ownerDied bool) {
	a.v.live("Lock")
	if a.v.readOnly {
		panic(misuse("sharedmem: Lock of the " + a.v.describe() + ", which is read-only here: to read it, RLock is enough"))
	}
	p, l := a.v.pin("Lock"), a.v.lock()
	l.local.Lock()
	if err := a.v.seg.region.Lock(int64(a.v.base), false); err != nil {
		l.local.Unlock()
		a.v.cannotLock(p, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writer, l.pins = true, append(l.pins, p)
	if w := a.v.holder(); w != nil {
		return w.Swap(uint64(os.Getpid())) != 0
	}
	return false
}

// Unlock unlocks what Lock has locked. It panics if the array is not locked.
func (a Array[T]) Unlock() {
	l := a.v.lock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.writer {
		panic(misuse("sharedmem: Unlock of the " + a.v.describe() + ", which was not locked"))
	}
	if w := a.v.holder(); w != nil {
		w.Store(0)
	}
	a.v.unlockFile()
	l.writer = false
	a.v.owner.unpin(l.pop())
	l.local.Unlock()
}

// RLock waits until nobody else has locked the array exclusively, and locks it for reading, which
// several goroutines and processes can at a time. It reports, as Lock does, whether a process died
// while it was writing; that is so until somebody has called Lock and Unlock.
func (a Array[T]) RLock() (ownerDied bool) {
	a.v.live("RLock")
	p, l := a.v.pin("RLock"), a.v.lock()
	l.local.RLock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers == 0 {
		if err := a.v.seg.region.Lock(int64(a.v.base), true); err != nil {
			l.local.RUnlock()
			a.v.cannotLock(p, err)
		}
	}
	l.readers++
	l.pins = append(l.pins, p)
	w := a.v.holder()
	return w != nil && w.Load() != 0
}

// RUnlock unlocks what RLock has locked. It panics if the array is not locked for reading.
func (a Array[T]) RUnlock() {
	l := a.v.lock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers == 0 {
		panic(misuse("sharedmem: RUnlock of the " + a.v.describe() + ", which was not locked for reading"))
	}
	if l.readers--; l.readers == 0 {
		a.v.unlockFile()
	}
	a.v.owner.unpin(l.pop())
	l.local.RUnlock()
}

func (l *lock) pop() *pin {
	p := l.pins[len(l.pins)-1]
	l.pins = l.pins[:len(l.pins)-1]
	return p
}

// lock returns the lock of the array's allocation, made when it is first asked for.
func (v *view) lock() *lock {
	if v == nil {
		v.live("Lock")
	}
	c := v.owner.core
	c.mu.Lock()
	defer c.mu.Unlock()
	key := lockKey{v.seg, v.base}
	l := c.locks[key]
	if l == nil {
		if c.locks == nil {
			c.locks = map[lockKey]*lock{}
		}
		l = new(lock)
		c.locks[key] = l
	}
	return l
}

// cannotLock gives up what p stands for, and panics.
func (v *view) cannotLock(p *pin, err error) {
	v.owner.unpin(p)
	panic(misuse(fmt.Sprintf("sharedmem: the system cannot lock the %s: %v", v.describe(), err)))
}

func (v *view) unlockFile() {
	if err := v.seg.region.Unlock(int64(v.base)); err != nil {
		panic(misuse(fmt.Sprintf("sharedmem: the system cannot unlock the %s: %v", v.describe(), err)))
	}
}
