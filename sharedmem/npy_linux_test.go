package sharedmem_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jobgen/jobgen/sharedmem"
)

// A file that is cut short while it is mapped is an error inside View, not the end of the program.
func TestTruncatedWhileMapped(t *testing.T) {
	path := save(t, make([]float64, 1<<16))
	a := open[float64](t, path)
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	err := a.View(func(s []float64) error {
		sum := 0.0
		for _, x := range s {
			sum += x
		}
		return fmt.Errorf("the sum is %v", sum)
	})
	contains(t, as[*sharedmem.FaultError](t, err).Error(), path+", which was cut to 4096 bytes while it was mapped")
	err = sharedmem.CreateNPY(filepath.Join(t.TempDir(), "copy.npy"), a)
	contains(t, err.Error(), "CreateNPY", "bad address")
}

// smallDisk is a directory with a megabyte of room.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	small := must[float64](t)(sharedmem.Alloc[float64](arena, 1000))
	path := filepath.Join(dir, "x.npy")
	if err := sharedmem.CreateNPY(path, small); err != nil {
		t.Fatal(err)
	}
	big := must[float64](t)(sharedmem.Alloc[float64](arena, 1<<20))
	err := sharedmem.CreateNPY(path, big)
	contains(t, err.Error(), "no space left on device")
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if got := open[float64](t, path); got.Len() != 1000 {
		t.Errorf("the old file is now %v", got)
	}

	// A file with holes, for which there is no room: to write to the mapping would be a SIGBUS.
	header, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(header[:128]), "(1000,)", "(800000,)", 1)
	text = strings.Replace(text, "  \n", "\n", 1)
	sparse := filepath.Join(dir, "sparse.npy")
	if err := os.WriteFile(sparse, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 128+8*800_000); err != nil {
		t.Fatal(err)
	}
	_, err = sharedmem.UpdateNPY[float64](sparse)
	contains(t, err.Error(), "UpdateNPY", "no space left on device")
	if a := open[float64](t, sparse); a.At(799_999) != 0 { // to read holes needs no room
		t.Error(a)
	}
}

func TestFIFOIsNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := unix.Mkfifo(path, 0o666); err != nil {
		t.Skip(err)
	}
	_, err := sharedmem.OpenNPY[float64](path)
	contains(t, err.Error(), "no regular file")
}

// numpy runs a Python script with NumPy, and returns what it prints, line by line.
func numpy(t *testing.T, script string, args ...string) []string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() != nil {
			continue
		}
		cmd := exec.Command(python, append([]string{"-c", "import sys, json, os, mmap\nimport numpy as np\n" + script}, args...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, script)
		}
		return slices.Collect(lines(strings.TrimSpace(string(out))))
	}
	t.Skip("there is no python3 with NumPy")
	return nil
}

// NumPy reads what CreateNPY writes, sees what UpdateNPY changes, and writes what OpenNPY reads.
func TestAgainstNumPy(t *testing.T) {
	dir := t.TempDir()
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 2, 3, 4))
	n := 0.0
	indices(a.Shape(), func(idx []int) { n++; a.Set(n, idx...) })
	ours := []struct {
		name  string
		array sharedmem.Array[float64]
	}{
		{"whole", a}, {"transposed", a.T()}, {"row", a.Sub(1, 2)}, {"rows", a.Rows(1, 2)},
		{"window", a.Window(2, 1, 4, 2)}, {"none", a.Rows(0, 0)},
	}
	for _, o := range ours {
		if err := sharedmem.CreateNPY(filepath.Join(dir, o.name+".npy"), o.array); err != nil {
			t.Fatal(err)
		}
	}
	type sample struct {
		A int8
		B float64
	}
	if err := sharedmem.CreateNPY(filepath.Join(dir, "struct.npy"), must[sample](t)(sharedmem.CopyOf(arena, []sample{{1, 2.5}, {3, 4.5}}))); err != nil {
		t.Fatal(err)
	}
	got := numpy(t, `
os.chdir(sys.argv[1])
for name in sys.argv[2:]:
    x = np.load(name + ".npy", mmap_mode="r")
    print(json.dumps([list(x.shape), x.ravel().tolist()]))
s = np.load("struct.npy")
print(json.dumps([list(s.shape), s["B"].tolist() + s["A"].tolist()]))
whole = np.load("whole.npy")
np.save("c.npy", whole * 2)
np.save("f.npy", np.asfortranarray(whole * 3))
np.save("scalar.npy", np.float64(7))
with open("v3.npy", "wb") as f:
    np.lib.format.write_array(f, np.array([(1, 2.5)], dtype=[("ä", "<i4"), ("b", "<f4")]), version=(3, 0))
with open("v2.npy", "wb") as f:
    np.lib.format.write_array(f, np.arange(5.0), version=(2, 0))
`, append([]string{dir}, "whole", "transposed", "row", "rows", "window", "none")...)
	for i, o := range ours {
		var theirs [2][]float64
		if err := json.Unmarshal([]byte(got[i]), &theirs); err != nil {
			t.Fatalf("%s: %v", got[i], err)
		}
		var shape []int
		for _, n := range theirs[0] {
			shape = append(shape, int(n))
		}
		if !slices.Equal(shape, o.array.Shape()) || !slices.Equal(theirs[1], o.array.AppendTo(nil)) {
			t.Errorf("%s: NumPy reads %s", o.name, got[i])
		}
	}
	if want := "[[2], [2.5, 4.5, 1, 3]]"; got[len(ours)] != want {
		t.Errorf("struct: NumPy reads %s", got[len(ours)])
	}

	for name, factor := range map[string]float64{"c": 2, "f": 3} {
		b := open[float64](t, filepath.Join(dir, name+".npy"))
		if !slices.Equal(b.Shape(), a.Shape()) || b.Contiguous() != (name == "c") {
			t.Errorf("%s: %v, strides %v", name, b, b.Strides())
		}
		indices(a.Shape(), func(idx []int) {
			if b.At(idx...) != factor*a.At(idx...) {
				t.Errorf("%s: %v at %v", name, b.At(idx...), idx)
			}
		})
	}
	if s := open[float64](t, filepath.Join(dir, "scalar.npy")); !slices.Equal(s.Shape(), []int{1}) || s.At(0) != 7 {
		t.Errorf("a scalar: %v", s)
	}
	if s := open[float64](t, filepath.Join(dir, "v2.npy")); s.At(4) != 4 {
		t.Error("version 2")
	}
	type umlaut struct {
		A int32   `npy:"ä"`
		B float32 `npy:"b"`
	}
	if s := open[umlaut](t, filepath.Join(dir, "v3.npy")); s.At(0) != (umlaut{1, 2.5}) {
		t.Errorf("version 3: %v", s.At(0))
	}

	path := filepath.Join(dir, "whole.npy")
	b, err := sharedmem.UpdateNPY[float64](path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.Set(-1, 1, 2, 3)
	if got := numpy(t, `print(np.load(sys.argv[1], mmap_mode="r")[1, 2, 3])`, path); got[0] != "-1.0" {
		t.Errorf("NumPy sees %s", got[0])
	}
	numpy(t, `np.load(sys.argv[1], mmap_mode="r+")[0, 0, 0] = -2`, path)
	if b.At(0, 0, 0) != -2 {
		t.Errorf("what NumPy writes is %v here", b.At(0, 0, 0))
	}
}

func TestCreateNPYKeepsModeAndLink(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.CopyOf(arena, []int{1, 2, 3}))
	dir := t.TempDir()
	file, link := filepath.Join(dir, "secret.npy"), filepath.Join(dir, "link.npy")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("secret.npy", link); err != nil {
		t.Fatal(err)
	}
	if err := sharedmem.CreateNPY(link, a); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is now %v, %v", info.Mode(), err)
	}
	if b := open[int](t, file); b.At(2) != 3 {
		t.Error(b)
	}
}
