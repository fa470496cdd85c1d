package sharedmem_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

func TestOptions(t *testing.T) {
	for _, o := range []sharedmem.ArenaOptions{{MaxBytes: -1}, {CloseTimeout: -time.Second}} {
		if _, err := sharedmem.NewArena(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	arena := newArena(t, sharedmem.ArenaOptions{Name: "n"})
	if arena.String() != `arena "n"` {
		t.Error(arena)
	}
}

func TestBudget(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{Name: "small", MaxBytes: 1000})
	a := must[byte](t)(sharedmem.Alloc[byte](arena, 600))
	_, err := sharedmem.Alloc[byte](arena, 401)
	e := as[*sharedmem.BudgetError](t, err)
	if e.Need != 401 || e.InUse != 600 || e.Limit != 1000 {
		t.Errorf("%+v", e)
	}
	contains(t, e.Error(), `no memory for 401 bytes in arena "small", whose arrays take 600 bytes: its MaxBytes is 1000 bytes`)
	must[byte](t)(sharedmem.Alloc[byte](arena, 400)) // all of it
	if _, err := sharedmem.Alloc[byte](arena, 1); err == nil {
		t.Error("one byte too many")
	}
	if a.At(599) != 0 {
		t.Error("the array has changed")
	}
	if err := arena.Reset(); err != nil {
		t.Fatal(err)
	}
	must[byte](t)(sharedmem.Alloc[byte](arena, 1000))
}

// A request that no machine can meet is an error, although the kernel would promise it.
func TestMachineBudget(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	if strconv.IntSize == 32 {
		t.Skip("there are not as many addresses")
	}
	_, err := sharedmem.Alloc[float64](arena, math.MaxInt>>25) // 2 TiB
	if e := as[*sharedmem.BudgetError](t, err); e.Limit != 0 || e.Available <= 0 && e.Err == nil {
		t.Errorf("%+v", e)
	}
	if s := arena.Stats(); s.InUse != 0 || s.Committed > 1<<20 {
		t.Errorf("%+v", s)
	}
	must[float64](t)(sharedmem.Alloc[float64](arena, 100))
}

func TestStats(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	if s := arena.Stats(); s != (sharedmem.ArenaStats{Shared: s.Shared}) {
		t.Errorf("of a new arena: %+v", s)
	}
	for range 10 {
		must[float64](t)(sharedmem.Alloc[float64](arena, 1000))
	}
	must[float64](t)(sharedmem.CopyOf(arena, make([]float64, 500_000)))
	s := arena.Stats()
	if s.Arrays != 11 || s.InUse != 80_000+4_000_000 || s.Copied != 4_000_000 || s.Segments != 2 {
		t.Errorf("%+v", s)
	}
	if s.Committed < s.InUse || s.Reserved < s.Committed {
		t.Errorf("more in use than there is: %+v", s)
	}
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	if s := arena.Stats(); s.InUse != 0 || s.Segments != 0 || s.Copied != 4_000_000 {
		t.Errorf("of a closed arena: %+v", s)
	}
}

// Arrays never move and never overlap, whatever the arena grows to.
func TestGrowth(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	type made struct {
		a    sharedmem.Array[uint32]
		s    []uint32
		fill uint32
	}
	var all []made
	for i := range 60 {
		a := must[uint32](t)(sharedmem.Alloc[uint32](arena, 1+i*i*37))
		m := made{a, a.Slice(), uint32(i + 1)}
		if i := slices.IndexFunc(m.s, func(x uint32) bool { return x != 0 }); i >= 0 {
			t.Fatalf("element %d of a new array is %d", i, m.s[i])
		}
		for k := range m.s {
			m.s[k] = m.fill
		}
		all = append(all, m)
	}
	for _, m := range all {
		if &m.a.Slice()[0] != &m.s[0] {
			t.Errorf("%v has moved", m.a)
		}
		if i := slices.IndexFunc(m.s, func(x uint32) bool { return x != m.fill }); i >= 0 {
			t.Errorf("element %d of %v is %d, not %d", i, m.a, m.s[i], m.fill)
		}
	}
}

// What is used again is zero again.
func TestZeroAgain(t *testing.T) {
	for round := range 4 {
		arena := newArena(t, sharedmem.ArenaOptions{})
		for range 3 {
			a := must[int](t)(sharedmem.Alloc[int](arena, 100_000))
			b := must[int](t)(sharedmem.CopyOf(arena, a.Slice()))
			for _, s := range [][]int{a.Slice(), b.Slice()} {
				if i := slices.IndexFunc(s, func(x int) bool { return x != 0 }); i >= 0 {
					t.Fatalf("round %d: element %d is %d", round, i, s[i])
				}
				for i := range s {
					s[i] = -1
				}
			}
			if err := arena.Reset(); err != nil {
				t.Fatal(err)
			}
		}
		if err := arena.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				a, err := sharedmem.Alloc[int](arena, 1+(g*i)%500)
				if err != nil {
					t.Error(err)
					return
				}
				w := a.Rows(0, 1)
				w.Set(g, 0)
				err = a.View(func(s []int) error {
					if s[0] != g {
						return errors.New("somebody else's value")
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				b := arena.Allocate(i)
				b = arena.Reallocate(2*i, b)
				arena.Free(b)
				arena.Stats()
			}
		})
	}
	wg.Wait()
	if s := arena.Stats(); s.Arrays != 1600 {
		t.Errorf("%+v", s)
	}
}

func TestAllocator(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{MaxBytes: 1 << 20})
	a := arena.Allocate(100)
	for i := range a {
		a[i] = byte(i)
	}
	grown := arena.Reallocate(5000, a)
	if &grown[0] != &a[0] {
		t.Error("there was room behind it, but it was copied")
	}
	for i, x := range grown {
		if want := byte(i); i < 100 && x != want || i >= 100 && x != 0 {
			t.Fatalf("byte %d is %d", i, x)
		}
	}
	other := arena.Allocate(64)
	moved := arena.Reallocate(9000, grown)
	if &moved[0] == &grown[0] || moved[99] != 99 {
		t.Error("it has grown into its neighbour, or lost its bytes")
	}
	shrunk := arena.Reallocate(10, moved)
	if &shrunk[0] != &moved[0] || len(shrunk) != 10 || arena.Stats().InUse != 74 {
		t.Errorf("shrinking: %d bytes, %+v", len(shrunk), arena.Stats())
	}
	if again := arena.Reallocate(20, shrunk); again[9] != 9 || again[10] != 0 {
		t.Errorf("after shrinking and growing: %v", again)
	}
	arena.Free(other)
	arena.Free(shrunk)
	arena.Free(nil)
	arena.Free(arena.Allocate(0))
	arena.Free(arena.Reallocate(0, arena.Allocate(5)))
	if s := arena.Stats(); s.InUse != 0 || s.Arrays != 0 {
		t.Errorf("%+v", s)
	}
	contains(t, panics(t, func() { arena.Free(shrunk) }), "has freed before")
	contains(t, panics(t, func() { arena.Free(make([]byte, 3)) }), "has not allocated")
	array := must[byte](t)(sharedmem.Alloc[byte](arena, 100))
	contains(t, panics(t, func() { arena.Free(array.Slice()) }), "has not allocated") // an array's bytes are not a block
	contains(t, panics(t, func() { arena.Reallocate(5, make([]byte, 3)) }), "Reallocate of 3 bytes", "has not allocated")
	if s := arena.Stats(); s.InUse != 100 || s.Arrays != 1 {
		t.Errorf("what was refused has left something: %+v", s)
	}
	block := arena.Allocate(5)
	contains(t, as[*sharedmem.BusyError](t, arena.Reset()).Error(), "1 blocks of bytes")
	arena.Free(block)
	if err := arena.Reset(); err != nil {
		t.Error(err)
	}
	contains(t, panics(t, func() { arena.Free(block) }), "has freed before")
	contains(t, panics(t, func() { arena.Allocate(-1) }), "must not be negative")
	contains(t, panics(t, func() { arena.Allocate(1 << 21) }), "its MaxBytes is")
	kept := arena.Allocate(10)
	arena.Close()
	arena.Free(kept)
	contains(t, panics(t, func() { arena.Allocate(1) }), "it was closed")
}
