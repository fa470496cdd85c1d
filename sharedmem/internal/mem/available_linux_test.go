package mem

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemAvailable(t *testing.T) {
	const good = "MemTotal:       24683656 kB\nMemFree: 1 kB\nMemAvailable:   24313768 kB\nCached: 3 kB\n"
	if n, ok := memAvailable([]byte(good)); !ok || n != 24313768*1024 {
		t.Errorf("%d, %v", n, ok)
	}
	for _, bad := range []string{"", "MemTotal: 3 kB\n", "MemAvailable: x kB\n", "MemAvailable: 3 MB\n", "MemAvailable: 99999999999999999999 kB\n", "MemAvailable:"} {
		if n, ok := memAvailable([]byte(bad)); ok {
			t.Errorf("%q is understood as %d", bad, n)
		}
	}
	if n, ok := Available(); !ok || n <= 0 {
		t.Errorf("this machine has %d, %v", n, ok)
	}
}

func FuzzMemAvailable(f *testing.F) {
	f.Add([]byte("MemAvailable:   24313768 kB\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, ok := memAvailable(text); ok && n > math.MaxInt64/2 {
			t.Errorf("%d", n)
		}
	})
}

// The tightest of the groups around the process counts; what the kernel can drop does not.
func TestGroupHeadroom(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	self := filepath.Join(root, "self")
	headroom := func(group string) (int64, bool) {
		write("self", group)
		return groupHeadroom(root, self)
	}
	write("a/b/memory.max", "max\n")
	write("a/b/memory.current", "5000\n")
	if n, ok := headroom("0::/a/b\n"); ok {
		t.Errorf("without a limit: %d", n)
	}
	write("a/memory.max", "10000\n")
	write("a/memory.current", "7000\n")
	write("a/memory.stat", "anon 1\ninactive_file 500\nactive_file 2\n")
	if n, ok := headroom("0::/a/b\n"); !ok || n != 3500 {
		t.Errorf("of the group around: %d, %v", n, ok)
	}
	write("a/b/memory.max", "5100\n")
	if n, ok := headroom("0::/a/b\n"); !ok || n != 100 {
		t.Errorf("of its own: %d, %v", n, ok)
	}
	write("a/b/memory.current", "6000\n")
	if n, ok := headroom("0::/a/b\n"); !ok || n != 0 {
		t.Errorf("of a group beyond its limit: %d, %v", n, ok)
	}
	for _, other := range []string{"", "12:memory:/x\n", "0::/a\n1:name=systemd:/\n"} {
		if n, ok := headroom(other); ok {
			t.Errorf("%q: %d", other, n)
		}
	}
	if _, ok := groupHeadroom(root, filepath.Join(root, "none")); ok {
		t.Error("of a process that is in no group")
	}
}
