package wire

import (
	"encoding/binary"
	"math"
	"slices"
)

// ReadBool reads a bool.
func ReadBool[T ~bool](d *Decoder, p *T) { *p = T(d.flag("a bool")) }

// ReadByte reads a number of one byte.
func ReadByte[T ~int8 | ~uint8](d *Decoder, p *T) { *p = T(d.byte("a number of 8 bits")) }

// ReadInt reads a signed integer.
func ReadInt[T ~int | ~int16 | ~int32 | ~int64](d *Decoder, p *T) {
	at := d.at()
	u := d.uvarint("an integer")
	x := int64(u>>1) ^ -int64(u&1)
	if *p = T(x); int64(*p) != x {
		d.misfit(at, x, 8*sizeOf[T]())
		*p = 0
	}
}

// ReadUint reads an unsigned integer.
func ReadUint[T ~uint | ~uint16 | ~uint32 | ~uint64 | ~uintptr](d *Decoder, p *T) {
	at := d.at()
	x := d.uvarint("an unsigned integer")
	if *p = T(x); uint64(*p) != x {
		d.misfit(at, x, 8*sizeOf[T]())
		*p = 0
	}
}

func (d *Decoder) misfit(at int, x any, bits int) {
	d.fail(at, "the integer %d does not fit in %d bits", x, bits)
}

// ReadFloat32 reads a float.
func ReadFloat32[T ~float32](d *Decoder, p *T) {
	*p = 0
	if raw := d.fixed("a float", 4); raw != nil {
		*p = T(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
}

// ReadFloat64 reads a float.
func ReadFloat64[T ~float64](d *Decoder, p *T) {
	*p = 0
	if raw := d.fixed("a float", 8); raw != nil {
		*p = T(math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	}
}

// ReadComplex64 reads a complex number.
func ReadComplex64[T ~complex64](d *Decoder, p *T) {
	var re, im float32
	ReadFloat32(d, &re)
	ReadFloat32(d, &im)
	*p = T(complex(re, im))
}

// ReadComplex128 reads a complex number.
func ReadComplex128[T ~complex128](d *Decoder, p *T) {
	var re, im float64
	ReadFloat64(d, &re)
	ReadFloat64(d, &im)
	*p = T(complex(re, im))
}

// ReadString reads a string.
func ReadString[T ~string](d *Decoder, p *T) {
	raw, _ := d.block("a string")
	*p = T(raw)
}

// ReadSlice reads a slice; each reads an element that has content.
func ReadSlice[S ~[]E, E any](d *Decoder, p *S, each func(*Decoder, *E)) {
	n, ok := d.length("a slice", 1)
	if !ok {
		*p = nil
		return
	}
	s := make(S, d.room(n, sizeOf[E]()))
	for i := 0; i < n && d.err == nil; i++ {
		if i == len(s) {
			s = slices.Grow(s, min(n-i, i))
			s = s[:min(n, cap(s))]
		}
		each(d, &s[i])
	}
	*p = s
}

// ReadEmpties reads a slice of values that have no content.
func ReadEmpties[S ~[]E, E any](d *Decoder, p *S) {
	*p = nil
	at := d.at()
	u := d.uvarint("a slice")
	if u == 0 {
		return
	}
	if u--; u > MaxEmpties {
		d.fail(at, "%w", tooManyEmpties(u))
		return
	}
	size := sizeOf[E]()
	if d.unpaid += int(u) * min(size, maxUnpaid+1); d.unpaid > maxUnpaid || d.unpaid < 0 {
		d.fail(at, "a slice of %d elements without content would take %d bytes each", u, size)
		return
	}
	*p = make(S, u)
}

// ReadMap reads a map; key and value read the parts of an entry.
func ReadMap[M ~map[K]V, K comparable, V any](d *Decoder, p *M, key func(*Decoder, *K), value func(*Decoder, *V)) {
	*p = nil
	at := d.at()
	u := d.uvarint("a map")
	if u == 0 {
		return
	}
	// Keys without content are all equal, so that there is at most one.
	if u--; u > uint64(max(1, len(d.b))) {
		d.fail(at, "a map has %d entries, for which %d bytes are left", u, len(d.b))
		return
	}
	n := int(u)
	m := make(M, d.room(n, sizeOf[K]()+sizeOf[V]()))
	var k, noKey K // outside of the loop: they escape
	var v, noValue V
	for i := 0; i < n && d.err == nil; i++ {
		k, v = noKey, noValue
		key(d, &k)
		value(d, &v)
		m[k] = v
	}
	if len(m) < n {
		d.fail(at, "a map has a key twice")
	}
	*p = m
}

// ReadPointer reads a pointer and what it points to; to reads that.
func ReadPointer[P ~*T, T any](d *Decoder, p *P, to func(*Decoder, *T)) {
	*p = nil
	if d.flag("a pointer") {
		*p = new(T)
		to(d, *p)
	}
}
