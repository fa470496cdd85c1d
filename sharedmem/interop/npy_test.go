package interop

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"codeberg.org/sbinet/npyio"
	"codeberg.org/sbinet/npyio/npy"
	"gonum.org/v1/gonum/mat"

	"github.com/jobgen/jobgen/sharedmem"
)

// Npyio is a second opinion on what a file of NumPy's says. It knows all these types, but neither int nor uint.
func TestNpyio(t *testing.T) {
	t.Run("bool", npyioAgrees[bool])
	t.Run("int8", npyioAgrees[int8])
	t.Run("int16", npyioAgrees[int16])
	t.Run("int32", npyioAgrees[int32])
	t.Run("int64", npyioAgrees[int64])
	t.Run("uint8", npyioAgrees[uint8])
	t.Run("uint16", npyioAgrees[uint16])
	t.Run("uint32", npyioAgrees[uint32])
	t.Run("uint64", npyioAgrees[uint64])
	t.Run("float32", npyioAgrees[float32])
	t.Run("float64", npyioAgrees[float64])
	t.Run("complex64", npyioAgrees[complex64])
	t.Run("complex128", npyioAgrees[complex128])
}

func npyioAgrees[T any](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	arena := newArena(t, sharedmem.ArenaOptions{})
	path := filepath.Join(t.TempDir(), "a.npy")
	fortran, inPlace, refused := 0, 0, 0
	for range 15 {
		shape := make([]int, 1+rng.IntN(4))
		for k := range shape {
			shape[k] = rng.IntN(6)
		}
		all := alloc[T](t, arena, shape...)
		scramble(rng, all.Slice())
		axis := rng.IntN(len(shape))
		for _, a := range []sharedmem.Array[T]{
			all,
			all.T(),
			all.Window(axis, shape[axis]/2, shape[axis], 1),
			all.Window(axis, 0, shape[axis], 2),
			all.Window(axis, 0, shape[axis], 2).T(),
		} {
			if npyioReads(t, path, a) {
				fortran++
			}
			switch {
			case a.Len() == 0: // npyio would write it without its shape
			case npyioWrites(t, path, a):
				inPlace++
			default:
				refused++
			}
		}
	}
	if fortran == 0 || inPlace == 0 || unsafe.Alignof(*new(T)) > 2 && refused == 0 {
		t.Errorf("%d files in Fortran's order, %d opened as they are, %d refused: something was not tested", fortran, inPlace, refused)
	}
}

// npyioReads has npyio read what CreateNPY writes, and reports whether that is in Fortran's order.
func npyioReads[T any](t testing.TB, path string, a sharedmem.Array[T]) (fortran bool) {
	t.Helper()
	os.Remove(path) // for speed; see write
	if err := sharedmem.CreateNPY(path, a); err != nil {
		t.Fatal(err)
	}
	got, want := npyioRead[T](t, path), a
	if !slices.Equal(got.Shape(), a.Shape()) {
		t.Fatalf("%v: npyio reads the shape %v", a, got.Shape())
	}
	if got.Fortran() {
		want = a.T()
	}
	if !bytes.Equal(raw(got.Data().([]T)), raw(want.AppendTo(nil))) {
		t.Fatalf("%v: npyio reads %v, not %v (in Fortran's order: %v)", a, got.Data(), want.AppendTo(nil), got.Fortran())
	}
	wantOpen(t, path, a) // here, as npyio cannot write in Fortran's order
	return got.Fortran()
}

// npyioWrites has OpenNPY read what npyio writes. Npyio means to begin the data at a multiple of 16 bytes, but often
// does not. Then they cannot be used in place, which has to be an error, and are read when there is space
// before them. It reports whether that was not necessary.
func npyioWrites[T any](t testing.TB, path string, a sharedmem.Array[T]) (inPlace bool) {
	t.Helper()
	var file bytes.Buffer
	if err := npyio.Write(&file, nested(a)); err != nil {
		t.Fatal(err)
	}
	begin := file.Len() - a.Len()*int(unsafe.Sizeof(*new(T)))
	write(t, path, file.Bytes())
	if begin%int(unsafe.Alignof(*new(T))) == 0 {
		wantOpen(t, path, a)
		return true
	}
	if _, err := sharedmem.OpenNPY[T](path); err == nil || !strings.Contains(err.Error(), "save it again with numpy.save") {
		t.Fatalf("the data begin at byte %d, and the error is %v", begin, err)
	}
	write(t, path, align(file.Bytes(), begin))
	wantOpen(t, path, a)
	return false
}

// raw is the memory of elements, which tells -0 from 0, and one NaN from another.
func raw[T any](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// nested is the array as Go has it, such as a [2][3]T, which tells npyio the shape.
func nested[T any](a sharedmem.Array[T]) any {
	t := reflect.TypeFor[T]()
	for _, n := range slices.Backward(a.Shape()) {
		t = reflect.ArrayOf(n, t)
	}
	return reflect.NewAt(t, unsafe.Pointer(unsafe.SliceData(a.AppendTo(nil)))).Elem().Interface()
}

// scramble makes all bits random.
func scramble[T any](rng *rand.Rand, s []T) {
	b := raw(s)
	for i := range b {
		b[i] = byte(rng.Uint32())
		if reflect.TypeFor[T]().Kind() == reflect.Bool {
			b[i] &= 1
		}
	}
}

// write makes a new file. To replace an old one would have ext4 wait for the disk.
func write(t testing.TB, path string, content []byte) {
	t.Helper()
	os.Remove(path)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// npyioRead reads a file with npyio, whatever its shape.
func npyioRead[T any](t testing.TB, path string) npy.Array {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := npyio.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if typ := npyio.TypeFrom(r.Header.Descr.Type); typ != reflect.TypeFor[T]() {
		t.Fatalf("npyio takes %s for %v, not for %v", r.Header.Descr.Type, typ, reflect.TypeFor[T]())
	}
	var a npy.Array
	if err := r.Read(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// wantOpen fails the test if OpenNPY does not make an array equal to a of a file.
func wantOpen[T any](t testing.TB, path string, a sharedmem.Array[T]) {
	t.Helper()
	got, err := sharedmem.OpenNPY[T](path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Shape(), a.Shape()) || !got.ReadOnly() || !bytes.Equal(raw(got.AppendTo(nil)), raw(a.AppendTo(nil))) {
		t.Fatalf("OpenNPY makes %v of it, with %v, not %v with %v", got, got.AppendTo(nil), a, a.AppendTo(nil))
	}
	if err := got.Close(); err != nil {
		t.Fatal(err)
	}
}

// align adds spaces to the header of a file, as many as move its data from begin to a multiple of 64.
func align(file []byte, begin int) []byte {
	const atLength = 8
	spaces := 63 - (begin+63)%64
	moved := slices.Insert(slices.Clone(file), begin-1, bytes.Repeat([]byte{' '}, spaces)...)
	binary.LittleEndian.PutUint32(moved[atLength:], binary.LittleEndian.Uint32(moved[atLength:])+uint32(spaces))
	return moved
}

// Go's arrays are the last axes of NumPy's, for both sides.
func TestNpyioNested(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	want := [][2]int16{{1, 2}, {3, 4}, {5, 6}}
	var file bytes.Buffer
	if err := npyio.Write(&file, want); err != nil {
		t.Fatal(err)
	}
	flat, err := sharedmem.CopyOf(newArena(t, sharedmem.ArenaOptions{}), []int16{1, 2, 3, 4, 5, 6}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, file.Bytes())
	wantOpen(t, path, flat)

	pairs, err := sharedmem.OpenNPY[[2]int16](path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(pairs.Slice(), want) {
		t.Errorf("the pairs are %v", pairs.Slice())
	}
	again := filepath.Join(t.TempDir(), "b.npy")
	if err := sharedmem.CreateNPY(again, pairs); err != nil {
		t.Fatal(err)
	}
	if err := pairs.Close(); err != nil {
		t.Fatal(err)
	}
	if a := npyioRead[int16](t, again); !slices.Equal(a.Shape(), []int{3, 2}) || !slices.Equal(a.Data().([]int16), flat.Slice()) {
		t.Errorf("npyio reads %v", a)
	}
}

// A matrix goes from an array to gonum and back, by way of files, in either order of its elements.
func TestNpyioMatrix(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	path := filepath.Join(t.TempDir(), "a.npy")
	a := integers(t, arena, rand.New(rand.NewPCG(3, 4)), 4, 5)
	for _, a := range []sharedmem.Array[float64]{a, a.T()} {
		if err := sharedmem.CreateNPY(path, a); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var m mat.Dense
		if err := npyio.Read(bytes.NewReader(content), &m); err != nil {
			t.Fatal(err)
		}
		rows, cols := m.Dims()
		if !slices.Equal(a.Shape(), []int{rows, cols}) || !slices.Equal(m.RawMatrix().Data, a.AppendTo(nil)) {
			t.Errorf("%v: npyio reads\n%v", a, mat.Formatted(&m))
		}

		var file bytes.Buffer
		if err := npyio.Write(&file, &m); err != nil {
			t.Fatal(err)
		}
		write(t, path, align(file.Bytes(), file.Len()-8*a.Len()))
		wantOpen(t, path, a)
	}
}

// What is written to a file that is mapped, npyio reads.
func TestNpyioAfterUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	a := alloc[float32](t, newArena(t, sharedmem.ArenaOptions{}), 3, 4)
	if err := sharedmem.CreateNPY(path, a); err != nil {
		t.Fatal(err)
	}
	file, err := sharedmem.UpdateNPY[float32](path)
	if err != nil {
		t.Fatal(err)
	}
	file.Set(1.5, 2, 1)
	a.Set(1.5, 2, 1)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if got := npyioRead[float32](t, path); !slices.Equal(got.Data().([]float32), a.Slice()) {
		t.Errorf("npyio reads %v", got)
	}
}

// sample has its fields where NumPy, and npyio, put them without being told to align them.
type sample struct {
	Time  float64   `npy:"t"`
	Place [3]uint16 `npy:"at"`
	Kind  int16
}

func TestNpyioStructs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	a, err := sharedmem.CopyOf(newArena(t, sharedmem.ArenaOptions{}), []sample{
		{0.5, [3]uint16{1, 2, 3}, -1},
		{1.5, [3]uint16{4, 5, 6}, -2},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sharedmem.CreateNPY(path, a); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := []sample{}
	if err := npyio.Read(bytes.NewReader(content), &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, a.Slice()) {
		t.Errorf("npyio reads %v, not %v", got, a.Slice())
	}

	var file bytes.Buffer
	if err := npyio.Write(&file, got); err != nil {
		t.Fatal(err)
	}
	write(t, path, align(file.Bytes(), file.Len()-len(raw(got))))
	wantOpen(t, path, a)
}
