package sharedmem_test

import (
	"encoding"
	"encoding/binary"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/jobgen/jobgen/sharedmem"
)

var (
	_ encoding.BinaryAppender    = sharedmem.Array[int]{}
	_ encoding.BinaryMarshaler   = sharedmem.Array[int]{}
	_ encoding.BinaryUnmarshaler = (*sharedmem.Array[int])(nil)
)

func handleOf[T any](t testing.TB, a sharedmem.Array[T]) []byte {
	t.Helper()
	b, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHandleIsSmall(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 1000, 1000))
	if b := handleOf(t, a); len(b) > 40 {
		t.Errorf("a handle of %d bytes", len(b))
	}
	var zero, again sharedmem.Array[float64]
	again = a
	if err := again.UnmarshalBinary(handleOf(t, zero)); err != nil || again.Len() != 0 || again.Shape() != nil || again.String() != "no array" {
		t.Errorf("the zero Array comes back as %v, %v", again, err)
	}
}

func TestStaleHandles(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{Name: "s"})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 10))
	h := handleOf(t, a)
	var b sharedmem.Array[float64]

	if err := arena.Reset(); err != nil {
		t.Fatal(err)
	}
	contains(t, as[*sharedmem.HandleError](t, b.UnmarshalBinary(h)).Error(), "stale")
	must[float64](t)(sharedmem.Alloc[float64](arena, 10)) // at the same place
	contains(t, as[*sharedmem.HandleError](t, b.UnmarshalBinary(h)).Error(), "stale")
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	contains(t, as[*sharedmem.HandleError](t, b.UnmarshalBinary(h)).Error(), "this process has no segment")
	if b.Len() != 0 {
		t.Error("a failed decoding has changed the array")
	}
}

func TestHandleOfAnotherType(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	h := handleOf(t, must[float64](t)(sharedmem.Alloc[float64](arena, 10)))
	var same sharedmem.Array[celsius]
	if err := same.UnmarshalBinary(h); err != nil {
		t.Errorf("a type of the same layout: %v", err)
	}
	var i sharedmem.Array[int64]
	contains(t, as[*sharedmem.HandleError](t, i.UnmarshalBinary(h)).Error(), "the elements are not int64")
	var s sharedmem.Array[struct{ X float64 }]
	as[*sharedmem.HandleError](t, s.UnmarshalBinary(h))
	var p sharedmem.Array[*int]
	as[*sharedmem.TypeError](t, p.UnmarshalBinary(h))
}

type celsius float64

// forge makes a handle with numbers of anybody's choice.
func forge(genuine []byte, base, off uint64, dims ...uint64) []byte {
	b := append([]byte(nil), genuine[:25]...)
	b = binary.AppendUvarint(b, base)
	b = binary.AppendUvarint(b, off)
	b = binary.AppendUvarint(b, uint64(len(dims)/2))
	for _, n := range dims {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// A handle with any numbers is either refused or leads to elements of its array, and nowhere else.
func TestForgedHandles(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	const n = 12
	a := must[int32](t)(sharedmem.Alloc[int32](arena, n))
	must[int32](t)(sharedmem.Alloc[int32](arena, n)) // a neighbour
	genuine := handleOf(t, a)
	lo := uintptr(unsafe.Pointer(&a.Slice()[0]))
	accepted := 0
	number := rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(50, 140), rapid.Uint64(),
		rapid.SampledFrom([]uint64{1 << 20, 1<<63 - 1, 1 << 63, 1<<64 - 1, 1 << 62, 1 << 32}))
	rapid.Check(t, func(t *rapid.T) {
		dims := rapid.SliceOfN(number, 0, 18).Draw(t, "dims")
		base := rapid.OneOf(rapid.Just[uint64](64), number).Draw(t, "base")
		h := forge(genuine, base, number.Draw(t, "off"), dims...)
		if rapid.Bool().Draw(t, "mutate") {
			h[rapid.IntRange(0, len(h)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		var b sharedmem.Array[int32]
		if b.UnmarshalBinary(h) != nil || b.Shape() == nil {
			return
		}
		accepted++
		if b.Len() > 1000 {
			return // many indices for one element: a stride of 0
		}
		indices(b.Shape(), func(idx []int) {
			b.At(idx...)
			w := b
			for _, i := range idx[:len(idx)-1] {
				w = w.Sub(i)
			}
			i := idx[len(idx)-1]
			p := uintptr(unsafe.Pointer(&w.Rows(i, i+1).Slice()[0]))
			if p < lo || p > lo+4*(n-1) {
				t.Fatalf("element %v is %d bytes behind the array's first", idx, p-lo)
			}
		})
	})
	t.Logf("%d were accepted", accepted)
}

func FuzzHandle(f *testing.F) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		f.Fatal(err)
	}
	defer arena.Close()
	a := must[uint16](f)(sharedmem.Alloc[uint16](arena, 3, 4))
	genuine := handleOf(f, a)
	// Ids and stamps are random, so that what the fuzzer remembers of the last run would lead nowhere:
	// it is given what follows them.
	f.Add(genuine[25:])
	f.Add(handleOf(f, a.T())[25:])
	f.Add(handleOf(f, a.Rows(1, 2))[25:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, rest []byte) {
		for _, h := range [][]byte{rest, append(append([]byte(nil), genuine[:25]...), rest...)} {
			var b sharedmem.Array[uint16]
			if err := b.UnmarshalBinary(h); err != nil {
				as[*sharedmem.HandleError](t, err)
				continue
			}
			if b.Len() > 0 {
				last := b.Shape()
				for k := range last {
					last[k]--
				}
				b.At(last...)
				b.At(make([]int, len(last))...)
			}
			var c sharedmem.Array[uint16]
			if err := c.UnmarshalBinary(handleOf(t, b)); err != nil || c.Len() != b.Len() {
				t.Fatalf("%v comes back as %v, %v", b, c, err)
			}
		}
	})
}
