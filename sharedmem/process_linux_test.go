package sharedmem_test

import (
	"bufio"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jobgen/jobgen/sharedmem"
)

func init() {
	roles["hold"] = func(p part, in *bufio.Reader) error {
		a, err := array[float64](p)
		if err != nil {
			return err
		}
		arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
		if err != nil {
			return err
		}
		b, err := sharedmem.Alloc[float64](arena, 1<<20)
		if err != nil {
			return err
		}
		b.Set(1, 1)
		fmt.Println("held", a.At(0))
		wait(in)
		return nil
	}
	roles["intrude"] = func(p part, _ *bufio.Reader) error {
		a, err := array[float64](p)
		if err != nil {
			return err
		}
		fmt.Println("reads", a.At(1), a.ReadOnly())
		func() {
			defer func() { fmt.Println("Set:", recover()) }()
			a.Set(1, 0)
		}()
		func() {
			defer func() { fmt.Println("Lock:", recover()) }()
			a.Lock()
		}()
		fmt.Println("RLock:", a.RLock())
		a.RUnlock()
		err = a.View(func(s []float64) error {
			s[0] = 666
			return nil
		})
		fault := new(sharedmem.FaultError)
		fmt.Println("View:", errors.As(err, &fault), err)
		fmt.Println("intrusions:", intrude(a))
		return nil
	}
}

// intrude tries what a program can try that wants to write where it must not, and returns what worked.
func intrude(a sharedmem.Array[float64]) (worked []string) {
	_, f, err := sharedmem.Export(a.Segment())
	if err != nil {
		return []string{err.Error()}
	}
	fd := int(f.Fd())
	s := a.Slice()
	page := int64(os.Getpagesize())
	again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDWR, 0)
	if err == nil {
		defer again.Close()
	}
	for name, try := range map[string]func() error{
		"write":    func() error { _, err := unix.Pwrite(fd, []byte{1}, page); return err },
		"truncate": func() error { return unix.Ftruncate(fd, page) },
		"mmap": func() error {
			_, err := unix.Mmap(fd, 0, int(page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		},
		"mprotect": func() error {
			info, _, _ := sharedmem.Export(a.Segment())
			m, err := unix.Mmap(fd, 0, int(info.Bytes), unix.PROT_READ, unix.MAP_SHARED)
			if err != nil {
				return nil
			}
			return unix.Mprotect(m, unix.PROT_READ|unix.PROT_WRITE)
		},
		"reopen":     func() error { _, err := again.WriteAt([]byte{1}, page); return err },
		"punch hole": func() error { return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, page) },
		"unseal":     func() error { _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); return err },
	} {
		if try() == nil {
			worked = append(worked, name)
		}
	}
	_ = s
	return worked
}

// What is read-only cannot be written by another process, not even on purpose; its maker can.
func TestReadOnlyArena(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{Name: "inputs", ReadOnly: true})
	a := must[float64](t)(sharedmem.CopyOf(arena, []float64{1, 2, 3}))
	if a.ReadOnly() {
		t.Error("its maker cannot write it")
	}
	a.Set(5, 1)
	c := start(t, "intrude", a)
	c.expect("reads 5 true")
	contains(t, c.hear(), "Set: sharedmem: Set(x, 0) of the float64 array", "which is read-only")
	contains(t, c.hear(), "Lock: sharedmem: Lock of the float64 array", "read-only here", "RLock is enough")
	c.expect("RLock: false")
	contains(t, c.hear(), "View: true sharedmem: fault at address", "which is read-only")
	c.expect("intrusions: []")
	if a.At(0) != 1 {
		t.Errorf("it was changed to %v", a.At(0))
	}
}

// shmem is how much shared memory the system has handed out, in kB.
func shmem(t *testing.T) (kB int) {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Skip(err)
	}
	for line := range lines(string(text)) {
		if n, _ := fmt.Sscanf(line, "Shmem: %d kB", &kB); n == 1 {
			return kB
		}
	}
	t.Skip("/proc/meminfo has no Shmem")
	return 0
}

// A process that is killed with arenas open leaves nothing behind: no name, and no memory.
func TestKilledProcessLeavesNothing(t *testing.T) {
	shared(t)
	before := names(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 1<<20))
	a.Set(3, 0)
	// Other programs take and free shared memory, too, so what this one leaves behind would show each time.
	freed := 0
	const least = 4 * 7 << 10 // 8 MB each
	for tries := 0; tries < 8 && freed < least; tries++ {
		freed = freedByKilling(t, a, before)
	}
	if freed < least {
		t.Errorf("only %d kB of shared memory were freed", freed)
	}
	if more := lasting(t, before); len(more) > 0 {
		t.Errorf("left behind: %v", more)
	}
	if a.At(0) != 3 {
		t.Error("the parent's array is gone")
	}
	// Nobody has it attached any more, so that the memory can be used again.
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	next := newArena(t, sharedmem.ArenaOptions{})
	must[float64](t)(sharedmem.Alloc[float64](next, 1<<20))
	if next.Stats().Recycled != 1 {
		t.Errorf("%+v", next.Stats())
	}
}

// freedByKilling starts four processes that hold arenas, kills them, and returns how many kB of shared memory
// the system got back.
func freedByKilling(t *testing.T, a sharedmem.Array[float64], before []string) int {
	t.Helper()
	children := make([]*child, 4)
	for i := range children {
		children[i] = start(t, "hold", a)
		children[i].expect("held 3")
	}
	held := shmem(t)
	if more := lasting(t, before); len(more) > 0 {
		t.Errorf("arenas have names: %v", more)
	}
	for _, c := range children {
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.cmd.Wait()
	}
	return held - shmem(t)
}

// While another process has it attached, the memory of a closed arena is not used for the next one.
func TestAttachedMemoryIsNotRecycled(t *testing.T) {
	shared(t)
	sharedmem.TrimPool()
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 1, 3))
	c := start(t, "write", a)
	c.expect("written")
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	next := newArena(t, sharedmem.ArenaOptions{})
	b := must[float64](t)(sharedmem.Alloc[float64](next, 3))
	if next.Stats().Recycled != 0 {
		t.Error("it was recycled")
	}
	b.Set(9, 2)
	c.say("")
	c.expect("0")
}

// A small /dev/shm, as containers have it, does not matter: memfds are not in it.
func TestSmallDevShm(t *testing.T) {
	shared(t)
	if os.Geteuid() != 0 {
		t.Skip("another /dev/shm needs root")
	}
	arena := newArena(t, sharedmem.ArenaOptions{})
	c := start(t, "small /dev/shm", must[float64](t)(sharedmem.Alloc[float64](arena, 1)), func(attr *syscall.SysProcAttr) {
		attr.Cloneflags = syscall.CLONE_NEWNS // what it mounts is its own
	})
	c.expect("16777216 bytes written")
}

func init() {
	roles["small /dev/shm"] = func(part, *bufio.Reader) error {
		if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=1m"); err != nil {
			return err
		}
		arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
		if err != nil {
			return err
		}
		a, err := sharedmem.Alloc[byte](arena, 16<<20)
		if err != nil {
			return err
		}
		n := 0
		for i := range a.Slice() {
			a.Slice()[i] = 1
			n++
		}
		fmt.Println(n, "bytes written")
		return arena.Close()
	}
}

// lasting returns what has a name that it had not before, and keeps it: other programs have some for moments.
func lasting(t *testing.T, before []string) []string {
	t.Helper()
	more := minus(names(t), before)
	for tries := 0; tries < 50 && len(more) > 0; tries++ {
		time.Sleep(20 * time.Millisecond)
		more = slices.DeleteFunc(more, func(s string) bool { return !slices.Contains(names(t), s) })
	}
	return more
}

func names(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"/dev/shm", os.TempDir()} {
		found, err := filepath.Glob(filepath.Join(dir, "jobgen-arena-*"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	entries, _ := os.ReadDir("/dev/shm")
	for _, e := range entries {
		all = append(all, "/dev/shm/"+e.Name())
	}
	return all
}

// Attach takes nothing that could shrink under its feet, or that is not what was announced.
func TestAttachRefuses(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 3))
	info, f, err := sharedmem.Export(a.Segment())
	if err != nil {
		t.Fatal(err)
	}
	copyOf := func() *os.File {
		fd, err := unix.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		return os.NewFile(uintptr(fd), "copy")
	}
	memfd := func(seals int) *os.File {
		fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		if err != nil {
			t.Fatal(err)
		}
		unix.Ftruncate(fd, info.Bytes)
		unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
		return os.NewFile(uintptr(fd), "test")
	}
	closed := copyOf()
	closed.Close()
	other, wrong := info, info
	other.ID++
	wrong.ID += 2
	wrong.Bytes *= 2
	for name, test := range map[string]struct {
		info sharedmem.Segment
		f    *os.File
		part string
	}{
		"known":    {info, copyOf(), "this process has it already"},
		"unsealed": {other, memfd(0), "not sealed against shrinking"},
		"empty":    {other, memfd(unix.F_SEAL_SHRINK), "another segment"},
		"other":    {other, copyOf(), "another segment"},
		"size":     {wrong, copyOf(), "bytes, not the"},
		"tiny":     {sharedmem.Segment{ID: 1, Bytes: 3}, copyOf(), "cannot have 3 bytes"},
		"negative": {sharedmem.Segment{ID: 1, Bytes: -1}, copyOf(), "cannot have -1 bytes"},
		"closed":   {other, closed, "bad file descriptor"},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := sharedmem.Attach(test.info, test.f)
			if err == nil {
				at.Close()
				t.Fatal("it was attached")
			}
			contains(t, err.Error(), test.part)
		})
	}
	if _, _, err := sharedmem.Export(12345); err == nil {
		t.Error("a segment that is not there was exported")
	}
	if err := sharedmem.Detach(12345); err != nil {
		t.Error(err)
	}
	// The process's own locks and mapping have survived all that.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	a.Lock()
	a.Set(1, 1)
	a.Unlock()
}

// lines yields the lines of a text without their ends.
func lines(text string) iter.Seq[string] { return strings.SplitSeq(text, "\n") }

// minus returns what is in a, but not in b.
func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}
