//go:build !race

package mem

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Where memfds are forbidden there is a file without a name, and everything else is the same.
func TestFileInsteadOfMemfd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	r, err := createFile(2 * PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("it has a name: %v", entries)
	}
	if err := r.Commit(0, 2*PageSize); err != nil {
		t.Fatal(err)
	}
	r.Bytes[PageSize] = 7
	fd, err := unix.Dup(int(r.File.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Attach(os.NewFile(uintptr(fd), "copy"), 2*PageSize, true)
	if err != nil {
		t.Fatal(err)
	}
	if other.Bytes[PageSize] != 7 || !other.ReadOnly {
		t.Error("who attaches it does not see it")
	}
	if !r.Attached() {
		t.Error("its maker does not know that it is attached")
	}
	other.Unmap()
	if r.Attached() {
		t.Error("its maker does not know that it was let go")
	}
}

// To commit what there is no room for is an error, where a write would be a SIGBUS.
func TestCommitWithoutRoom(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small file system needs root: %v", err)
	}
	defer unix.Unmount(dir, 0)
	t.Setenv("TMPDIR", dir)
	r, err := createFile(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	if err := r.Commit(0, 16<<10); err != nil {
		t.Errorf("there is room for it: %v", err)
	}
	if err := r.Commit(16<<10, 1<<20-16<<10); !errors.Is(err, ErrNoMemory) {
		t.Errorf("the error is %v", err)
	}
}

func TestLocksExcludeOtherDescriptions(t *testing.T) {
	r, err := Create(PageSize, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	fd, err := unix.Dup(int(r.File.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Attach(os.NewFile(uintptr(fd), "copy"), PageSize, false)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Unmap()
	if err := r.Lock(64, false); err != nil {
		t.Fatal(err)
	}
	if err := other.flock(lockNow, unix.F_RDLCK, 64); err == nil {
		t.Error("two hold it")
	}
	if err := other.flock(lockNow, unix.F_WRLCK, 128); err != nil {
		t.Errorf("the lock of another array: %v", err)
	}
	if err := r.Unlock(64); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Lock(64, true), other.flock(lockNow, unix.F_RDLCK, 64)); err != nil {
		t.Errorf("two readers: %v", err)
	}
}

// Old addresses stay taken, but not for ever.
func TestQuarantine(t *testing.T) {
	for range maxQuarantined + 10 {
		r, err := Create(PageSize, false)
		if err != nil {
			t.Fatal(err)
		}
		r.Unmap()
	}
	quarantined.Lock()
	defer quarantined.Unlock()
	if n := len(quarantined.ranges); n != maxQuarantined && maxQuarantineBytes > maxQuarantined*PageSize {
		t.Errorf("%d ranges, want %d", n, maxQuarantined)
	}
}
