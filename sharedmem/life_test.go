package sharedmem_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

func TestUseAfterClose(t *testing.T) {
	for _, how := range []string{"was closed", "was reset"} {
		t.Run(how, func(t *testing.T) {
			arena := newArena(t, sharedmem.ArenaOptions{Name: "inputs"})
			a := must[float64](t)(sharedmem.Alloc[float64](arena, 3, 4))
			w := a.Rows(1, 2)
			end := arena.Close
			if how == "was reset" {
				end = arena.Reset
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			for name, use := range map[string]func(){
				"At":         func() { a.At(0, 0) },
				"At, window": func() { w.At(0, 0) },
				"Set":        func() { a.Set(1, 0, 0) },
				"Slice":      func() { a.Slice() },
				"Rows":       func() { a.Rows(0, 1) },
				"Sub":        func() { a.Sub(0) },
				"T":          func() { w.T() },
				"Window":     func() { w.Window(0, 0, 1, 1) },
				"Reshape":    func() { a.Reshape(12) },
				"All":        func() { a.All() },
				"AppendTo":   func() { a.AppendTo(nil) },
				"Contiguous": func() { a.Contiguous() },
				"ReadOnly":   func() { a.ReadOnly() },
				"Lock":       func() { a.Lock() },
				"RLock":      func() { a.RLock() },
				"Segment":    func() { a.Segment() },
				"View":       func() { a.View(func([]float64) error { return nil }) },
			} {
				t.Run(name, func(t *testing.T) {
					contains(t, panics(t, use), "float64 array of shape (", "made at life_test.go:", `arena "inputs" `+how+" at life_test.go:")
				})
			}
			if a.Len() != 12 || a.Shape()[1] != 4 || !strings.HasPrefix(a.String(), "float64 array of shape (3, 4)") {
				t.Errorf("%v, Len %d, Shape %v", a, a.Len(), a.Shape())
			}
			if _, err := a.MarshalBinary(); !errors.Is(err, sharedmem.ErrClosed) {
				t.Errorf("it was encoded: %v", err)
			}
			if err := sharedmem.CreateNPY(filepath.Join(t.TempDir(), "x.npy"), a); !errors.Is(err, sharedmem.ErrClosed) {
				t.Errorf("CreateNPY: %v", err)
			}
			_, err := sharedmem.Alloc[int](arena, 1)
			if closed := how == "was closed"; errors.Is(err, sharedmem.ErrClosed) != closed {
				t.Errorf("Alloc: %v", err)
			}
			if err := end(); how == "was closed" && err != nil {
				t.Errorf("a second Close: %v", err)
			}
		})
	}
	arena := newArena(t, sharedmem.ArenaOptions{})
	if err := errors.Join(arena.Close(), arena.Reset()); !errors.Is(err, sharedmem.ErrClosed) {
		t.Errorf("Reset after Close: %v", err)
	}
}

func TestIndexAfterClose(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	all := placements(t, must[int64](t)(sharedmem.Alloc[int64](arena, 96)))
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	for name, a := range all {
		t.Run(name, func(t *testing.T) {
			contains(t, panics(t, func() { spelled(a, middle(a)) }), "At of int64 array", "was closed at life_test.go:")
			contains(t, panics(t, func() { a.Set(1, middle(a)...) }), "Set of int64 array", "was closed at life_test.go:")
		})
	}
}

// All windows end with their arena, however many there were, and those that are garbage are forgotten.
func TestManyWindows(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Alloc[int](arena, 1000))
	var kept []sharedmem.Array[int]
	for i := range 20_000 {
		w := a.Rows(i%1000, i%1000+1)
		if i%97 == 0 {
			kept = append(kept, w)
		}
		if i%5000 == 0 {
			runtime.GC()
		}
	}
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	for _, w := range kept {
		contains(t, panics(t, func() { w.At(0) }), "was closed")
	}
}

func TestViewPins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "pinned", CloseTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		a := must[int](t)(sharedmem.Alloc[int](arena, 3))
		entered, leave := make(chan bool), make(chan bool)
		boom := errors.New("boom")
		var wg sync.WaitGroup
		wg.Go(func() {
			err := a.View(func(s []int) error {
				s[0] = 7
				entered <- true
				<-leave
				return boom
			})
			if err != boom {
				t.Errorf("View returns %v", err)
			}
		})
		<-entered

		// Nobody leaves: Close says who is there, and all is as before.
		start := time.Now()
		busy := as[*sharedmem.BusyError](t, arena.Close())
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("Close waited for %v", waited)
		}
		contains(t, busy.Error(), `arena "pinned" is still in use, and stays as it was`, "View of int array of shape (3,)", "called at life_test.go:")
		if a.At(0) != 7 {
			t.Error("the array has ended")
		}
		if err := arena.Reset(); as[*sharedmem.BusyError](t, err) == nil {
			t.Error(err)
		}

		// Who leaves lets Close go on. Until then nobody new gets in.
		closed := make(chan error)
		go func() { closed <- arena.Close() }()
		synctest.Wait()
		contains(t, panics(t, func() { a.View(func([]int) error { return nil }) }), "is being closed")
		close(leave)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		wg.Wait()
		sharedmem.TrimPool() // and with it the timer
	})
}

func TestViewPassesPanics(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Alloc[int](arena, 3))
	contains(t, panics(t, func() {
		a.View(func(s []int) error {
			i := len(s)
			s[i] = 1
			return nil
		})
	}), "index out of range [3] with length 3")
	if err := arena.Close(); err != nil {
		t.Errorf("the panic has left a pin: %v", err)
	}
}

// A slice that outlives its arena meets a fault, never another arena's data.
func TestStaleSlice(t *testing.T) {
	shared(t)
	for round := range 3 {
		arena := newArena(t, sharedmem.ArenaOptions{Name: "short"})
		a := must[float64](t)(sharedmem.Alloc[float64](arena, 1<<16))
		stale := a.Slice()
		if err := arena.Close(); err != nil {
			t.Fatal(err)
		}
		// The next arena gets the same memory, at another address.
		next := newArena(t, sharedmem.ArenaOptions{Name: "next"})
		b := must[float64](t)(sharedmem.Alloc[float64](next, 1<<16))
		if round > 0 && runtime.GOOS == "linux" && next.Stats().Recycled == 0 {
			t.Error("the memory was not recycled")
		}
		if b.At(0) != 0 {
			t.Fatal("the memory is not zero")
		}
		b.Set(1, 0)
		err := fault(t, func() { stale[0] = 2 })
		contains(t, err.Error(), `arena "short" was closed at life_test.go:`)
		if b.At(0) != 1 {
			t.Fatal("a stale slice writes to the next arena")
		}
	}
}

// fault calls f, which has to meet a fault, and returns how it is explained.
func fault(t *testing.T, f func()) (err error) {
	t.Helper()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		t.Helper()
		v := recover()
		if err = sharedmem.Explain(v); err == nil {
			t.Fatalf("no fault of shared memory: %v", v)
		}
	}()
	f()
	return nil
}

func TestExplainOther(t *testing.T) {
	for _, v := range []any{nil, "text", errors.New("error"), 3} {
		if err := sharedmem.Explain(v); err != nil {
			t.Errorf("Explain(%v): %v", v, err)
		}
	}
	func() {
		defer func() {
			if err := sharedmem.Explain(recover()); err != nil {
				t.Errorf("a nil pointer is explained as %v", err)
			}
		}()
		var p *int
		*p = 1
	}()
}

// An arena that is forgotten is reported once; one that was closed, or can still be reached, is not.
func TestForgottenClose(t *testing.T) {
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	forget := func(name string) {
		arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: name, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		must[int](t)(sharedmem.Alloc[int](arena, 3))
	}
	forget("lost")
	closed, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "closed", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	closed = nil
	held, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "held", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	window := must[int](t)(sharedmem.Alloc[int](held, 3)).Rows(1, 2)
	for range 100 {
		runtime.GC()
		if strings.Contains(log.String(), "lost") {
			break
		}
		time.Sleep(time.Millisecond) // until the cleanup has run
	}
	runtime.GC()
	text := log.String()
	if strings.Count(text, "was not closed") != 1 {
		t.Errorf("the log is:\n%s", text)
	}
	contains(t, text, `arena \"lost\", made at life_test.go:`, "was not closed")
	if window.At(0) != 0 {
		t.Error("the array is gone")
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
