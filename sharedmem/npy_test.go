package sharedmem_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/jobgen/jobgen/sharedmem"
)

// open opens a file that the test closes.
func open[T any](t testing.TB, path string) sharedmem.Array[T] {
	t.Helper()
	a, err := sharedmem.OpenNPY[T](path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// save writes an array of values to a file and returns its path.
func save[T any](t testing.TB, values []T, shape ...int) string {
	t.Helper()
	arena := newArena(t, sharedmem.ArenaOptions{})
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := sharedmem.CreateNPY(path, must[T](t)(sharedmem.CopyOf(arena, values, shape...))); err != nil {
		t.Fatal(err)
	}
	return path
}

// Random arrays and windows come back from a file as they were.
func TestNPYRoundTrip(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	path := filepath.Join(t.TempDir(), "x.npy")
	rapid.Check(t, func(t *rapid.T) {
		if err := arena.Reset(); err != nil {
			t.Fatal(err)
		}
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 5).Draw(t, "shape")
		a, err := sharedmem.Alloc[int64](arena, shape...)
		if err != nil {
			t.Fatal(err)
		}
		m := model{shape: shape, values: map[string]int64{}}
		indices(shape, func(idx []int) {
			v := rapid.Int64().Draw(t, "value")
			m.values[key(idx)] = v
			a.Set(v, idx...)
		})
		for range rapid.IntRange(0, 3).Draw(t, "windows") {
			a, m = cut(t, a, m)
		}
		if err := sharedmem.CreateNPY(path, a); err != nil {
			t.Fatal(err)
		}
		b, err := sharedmem.OpenNPY[int64](path)
		if err != nil {
			t.Fatal(err)
		}
		m.check(t, b)
		var c sharedmem.Array[int64]
		h, err := b.T().MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.UnmarshalBinary(h); err != nil {
			t.Fatal(err)
		}
		m.check(t, c.T())
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNPYElements(t *testing.T) {
	type sample struct {
		T    float64
		V    [3]float32 `npy:"volts"`
		Good bool
	}
	samples := []sample{{1, [3]float32{1, 2, 3}, true}, {2, [3]float32{4, 5, 6}, false}}
	a := open[sample](t, save(t, samples))
	if !slices.Equal(a.Slice(), samples) {
		t.Errorf("%v", a.Slice())
	}
	vectors := [][2]int16{{1, 2}, {3, 4}, {5, 6}}
	path := save(t, vectors)
	if b := open[[2]int16](t, path); !slices.Equal(b.Slice(), vectors) {
		t.Errorf("%v", b.Slice())
	}
	if b := open[int16](t, path); !slices.Equal(b.Shape(), []int{3, 2}) || b.At(2, 1) != 6 {
		t.Errorf("as numbers: %v", b)
	}
	_, err := sharedmem.OpenNPY[[3]int16](path)
	contains(t, as[*sharedmem.ShapeError](t, err).Error(), "(3, 2)", "(3,)", "[3]int16")
	_, err = sharedmem.OpenNPY[float64](path)
	contains(t, err.Error(), "OpenNPY", path, "int16")
	_, err = sharedmem.OpenNPY[string](path)
	as[*sharedmem.TypeError](t, err)
	if one := open[complex64](t, save(t, []complex64{1 + 2i})); one.At(0) != 1+2i {
		t.Error(one)
	}
}

func TestOpenNPYIsReadOnly(t *testing.T) {
	path := save(t, []float64{1, 2, 3})
	a := open[float64](t, path)
	if !a.ReadOnly() {
		t.Error("it can be written")
	}
	contains(t, panics(t, func() { a.Set(1, 0) }), "which is read-only")
	contains(t, panics(t, func() { a.Lock() }), "read-only here")
	a.RLock()
	a.RUnlock()
	err := a.View(func(s []float64) error {
		s[0] = 7
		return nil
	})
	contains(t, as[*sharedmem.FaultError](t, err).Error(), path, "read-only")
	if a.At(0) != 1 {
		t.Error("it was written")
	}
	for name, a := range placements(t, open[int64](t, save(t, make([]int64, 96)))) {
		t.Run(name, func(t *testing.T) {
			contains(t, panics(t, func() { a.Set(1, middle(a)...) }), "Set(x, ", "which is read-only")
		})
	}
}

// What At and Set do with 32 bits of an index must not find another element.
func TestMoreThan32Bits(t *testing.T) {
	if math.MaxInt == math.MaxInt32 {
		t.Skip("no array is that large")
	}
	wide := uint64(1) << 32 // no constant, which would not do where an int has 32 bits
	top := int(wide)
	n := top + 3
	path := filepath.Join(t.TempDir(), "x.npy")
	dict := fmt.Sprintf("{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }", n)
	header := fmt.Sprintf("\x93NUMPY\x01\x00\x76\x00%-117s\n", dict) // 128 bytes
	if err := os.WriteFile(path, []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(header)+n)); err != nil {
		t.Skip(err) // not every file system has files with holes
	}
	a, err := sharedmem.UpdateNPY[uint8](path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.Set(1, 2)
	a.Set(2, top+2)
	if a.At(2) != 1 || a.At(top+2) != 2 || a.At(top) != 0 {
		t.Errorf("the elements are %d, %d and %d, want 1, 2, 0", a.At(2), a.At(top+2), a.At(top))
	}
	rest := a.Rows(1, n) // one less is still too many
	if rest.At(1) != 1 || rest.At(top+1) != 2 {
		t.Errorf("the elements are %d and %d, want 1, 2", rest.At(1), rest.At(top+1))
	}
	few := a.Rows(2, top+2)
	if few.Set(3, top-1); few.At(top-1) != 3 || a.At(top+1) != 3 {
		t.Errorf("the last of 1<<32 elements is %d, want 3", a.At(top+1))
	}
	contains(t, panics(t, func() { few.At(top) }), "out of range")
	contains(t, panics(t, func() { a.At(n) }), "out of range")
}

func TestUpdateNPY(t *testing.T) {
	path := save(t, []float64{1, 2, 3, 4}, 2, 2)
	a, err := sharedmem.UpdateNPY[float64](path)
	if err != nil {
		t.Fatal(err)
	}
	reader := open[float64](t, path)
	a.Lock()
	a.Set(40, 1, 1)
	a.Unlock()
	if reader.At(1, 1) != 40 {
		t.Error("who has the file mapped does not see it")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	contains(t, panics(t, func() { a.At(0, 0) }), path+" was closed at npy_test.go:")
	if err := a.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if again := open[float64](t, path); again.At(1, 1) != 40 {
		t.Error("it is not in the file")
	}
}

func TestCreateNPYReplacesInOneStep(t *testing.T) {
	path := save(t, []int{1, 2, 3, 4}, 2, 2)
	a := open[int](t, path)
	if err := sharedmem.CreateNPY(path, a.T()); err != nil { // over the file that it lies in
		t.Fatal(err)
	}
	if a.At(0, 1) != 2 {
		t.Error("the open array has changed")
	}
	b := open[int](t, path)
	if b.At(0, 1) != 3 || b.Contiguous() || !b.T().Contiguous() {
		t.Errorf("%v, strides %v", b, b.Strides())
	}
	err := sharedmem.CreateNPY(filepath.Join(path, "below", "x.npy"), b)
	if !errors.Is(err, fs.ErrNotExist) && err == nil {
		t.Errorf("in a directory that is none: %v", err)
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	contains(t, panics(t, func() { sharedmem.CreateNPY(path, sharedmem.Array[int]{}) }), "zero Array")
	if err := (sharedmem.Array[int]{}).Close(); err != nil {
		t.Error(err)
	}
	arena := newArena(t, sharedmem.ArenaOptions{Name: "a"})
	if err := must[int](t)(sharedmem.Alloc[int](arena, 1)).Close(); err == nil || !strings.Contains(err.Error(), `it ends with arena "a"; close that`) {
		t.Errorf("Close of an arena's array: %v", err)
	}
}

func TestBadNPYFiles(t *testing.T) {
	good, err := os.ReadFile(save(t, []float64{1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	patched := func(old, new string) []byte {
		if len(old) != len(new) || !bytes.Contains(good, []byte(old)) {
			t.Fatalf("%q cannot become %q", old, new)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	// A header whose length makes the data begin where no float64 can lie.
	odd := append([]byte("\x93NUMPY\x01\x00"), 59, 0)
	odd = append(odd, []byte("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), } \n")...)
	odd = append(odd, good[len(good)-24:]...)
	dir := t.TempDir()
	for name, test := range map[string]struct {
		data  []byte
		parts []string
	}{
		"empty":      {nil, nil},
		"short":      {good[:5], nil},
		"no header":  {good[:20], nil},
		"no data":    {good[:128], []string{"24"}},
		"cut":        {good[:len(good)-1], []string{"24", "23"}},
		"text":       {bytes.Repeat([]byte("hello\n"), 100), nil},
		"version 9":  {append([]byte("\x93NUMPY\x09"), good[7:]...), []string{"9"}},
		"big endian": {patched("<f8", ">f8"), []string{">f8", "big-endian"}},
		"other type": {patched("<f8", "<f4"), []string{"<f4", "<f8"}},
		"larger":     {patched("(3,)", "(9,)"), []string{"72", "24"}},
		"object":     {patched("<f8", "|O8"), nil},
		"unaligned":  {odd, []string{"begin at byte 69", "at multiples of", "numpy.save"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".npy")
			if err := os.WriteFile(path, test.data, 0o666); err != nil {
				t.Fatal(err)
			}
			for _, open := range []func(string) (sharedmem.Array[float64], error){sharedmem.OpenNPY[float64], sharedmem.UpdateNPY[float64]} {
				a, err := open(path)
				if err == nil {
					a.Close()
					t.Fatal("it was opened")
				}
				contains(t, err.Error(), append(test.parts, path)...)
			}
		})
	}
	if _, err := sharedmem.OpenNPY[float64](filepath.Join(dir, "none.npy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := sharedmem.OpenNPY[float64](dir); err == nil {
		t.Error("a directory was opened")
	} else {
		contains(t, err.Error(), "no regular file")
	}
}

func FuzzOpenNPY(f *testing.F) {
	path := save(f, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("False"), []byte("True "), 1))
	f.Add(good[:70])
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		a, err := sharedmem.OpenNPY[float64](path)
		if err != nil {
			return
		}
		n := 0
		for range a.All() {
			n++
		}
		if n != a.Len() || 8*n > len(data) {
			t.Errorf("%v has %d elements, of a file of %d bytes", a, n, len(data))
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}
