package sharedmem_test

import (
	"bufio"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/jobgen/jobgen/sharedmem"
)

func init() {
	roles["lock"] = func(p part, in *bufio.Reader) error {
		a, err := array[int](p)
		if err != nil {
			return err
		}
		for {
			switch line, err := in.ReadString('\n'); line {
			case "Lock\n":
				fmt.Println("locked", a.Lock())
			case "Unlock\n":
				a.Unlock()
				fmt.Println("unlocked")
			case "RLock\n":
				fmt.Println("rlocked", a.RLock())
			case "RUnlock\n":
				a.RUnlock()
				fmt.Println("runlocked")
			default:
				return err
			}
		}
	}
	roles["count"] = func(p part, in *bufio.Reader) error {
		a, err := array[int](p)
		if err != nil {
			return err
		}
		fmt.Println("ready")
		wait(in)
		count(a)
		fmt.Println("done")
		return nil
	}
}

const rounds = 300

// count adds to an element in a way that loses counts unless everybody locks.
func count(a sharedmem.Array[int]) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range rounds {
				a.Lock()
				a.Set(a.At(0)+1, 0)
				a.Unlock()
				a.RLock()
				_ = a.At(0)
				a.RUnlock()
			}
		})
	}
	wg.Wait()
}

func TestLockWithin(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Alloc[int](arena, 4))
	count(a)
	if got := a.At(0); got != 2*rounds {
		t.Errorf("%d, want %d", got, 2*rounds)
	}
	// A window has the lock of its array.
	a.Lock()
	locked := make(chan bool)
	go func() {
		a.Rows(1, 2).RLock()
		locked <- true
	}()
	select {
	case <-locked:
		t.Error("two hold it")
	default:
	}
	a.Unlock()
	<-locked
	a.RLock() // a second reader
	a.RUnlock()
	a.RUnlock()
	contains(t, panics(t, a.Unlock), "was not locked")
	contains(t, panics(t, a.RUnlock), "was not locked for reading")
}

func TestLockPins(t *testing.T) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{CloseTimeout: 1})
	if err != nil {
		t.Fatal(err)
	}
	a := must[int](t)(sharedmem.Alloc[int](arena, 4))
	a.Lock()
	contains(t, as[*sharedmem.BusyError](t, arena.Close()).Error(), "Lock of int array of shape (4,)", "called at lock_test.go:")
	a.Unlock()
	if err := arena.Close(); err != nil {
		t.Error(err)
	}
}

func TestLockAcrossProcesses(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Alloc[int](arena, 4))
	c, d := start(t, "count", a), start(t, "count", a)
	c.expect("ready")
	d.expect("ready")
	c.say("")
	d.say("")
	count(a)
	c.expect("done")
	d.expect("done")
	if got := a.At(0); got != 3*2*rounds {
		t.Errorf("%d, want %d: somebody did not wait", got, 3*2*rounds)
	}
}

// Nothing but Lock and RLock waits for a lock or takes one.
func TestNoLockUnasked(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Alloc[int](arena, 4))
	other := start(t, "lock", a)
	use := func() {
		a.Set(a.At(1)+1, 1)
		a.Slice()[2]++
		if err := a.View(func(s []int) error { s[3]++; return nil }); err != nil {
			t.Error(err)
		}
		a.Rows(0, 2).Set(1, 0)
		must[int](t)(sharedmem.CopyOf(arena, a.Slice()))
		if err := sharedmem.CreateNPY(filepath.Join(t.TempDir(), "a.npy"), a); err != nil {
			t.Error(err)
		}
		if _, err := a.MarshalBinary(); err != nil {
			t.Error(err)
		}
	}
	other.say("Lock")
	other.expect("locked false")
	use() // while it is locked elsewhere: it would wait for good
	other.say("Unlock")
	other.expect("unlocked")
	err := a.View(func([]int) error { // while it is in use here
		use()
		other.say("Lock")
		other.expect("locked false")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := a.Slice(); !slices.Equal(got, []int{1, 2, 2, 2}) {
		t.Errorf("%v", got)
	}
}

// The death of a holder is told to those who come after it, until one of them has locked and unlocked.
func TestDeadHolder(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Alloc[int](arena, 4))
	victim, other := start(t, "lock", a), start(t, "lock", a)
	victim.say("Lock")
	victim.expect("locked false")

	waiting := make(chan bool)
	go func() { waiting <- a.RLock() }()
	if err := victim.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if died := <-waiting; !died {
		t.Error("a reader who was waiting was not told")
	}
	other.say("RLock") // readers do not exclude each other
	other.expect("rlocked true")
	other.say("RUnlock")
	other.expect("runlocked")
	a.RUnlock()
	other.say("Lock")
	other.expect("locked true")
	other.say("Unlock")
	other.expect("unlocked")
	if a.Lock() {
		t.Error("it was told although somebody has seen to it")
	}
	a.Unlock()

	// A reader who dies leaves nothing half written.
	other.say("RLock")
	other.expect("rlocked false")
	other.cmd.Process.Kill()
	if a.Lock() {
		t.Error("a dead reader was told")
	}
	a.Unlock()
}
