package wire

import (
	"encoding/binary"
	"math"
)

// ReadBool reads a bool.
func ReadBool[T ~bool](d *Decoder, p *T) { *p = T(d.flag("a bool")) }

// ReadByte reads a number of one byte.
func ReadByte[T ~int8 | ~uint8](d *Decoder, p *T) { *p = T(d.byte("a number of 8 bits")) }

// ReadInt reads a signed integer.
func ReadInt[T ~int | ~int16 | ~int32 | ~int64](d *Decoder, p *T) {
	if i := d.i; i < len(d.b) && d.b[i] < 0x80 { // it fits in any of them
		d.i++
		u := int64(d.b[i])
		*p = T(u>>1 ^ -(u & 1))
		return
	}
	at := d.i
	u := d.longUvarint("an integer")
	x := int64(u>>1) ^ -int64(u&1)
	if *p = T(x); int64(*p) != x {
		d.misfit(at, x, 8*sizeOf[T]())
		*p = 0
	}
}

// ReadUint reads an unsigned integer.
func ReadUint[T ~uint | ~uint16 | ~uint32 | ~uint64 | ~uintptr](d *Decoder, p *T) {
	if i := d.i; i < len(d.b) && d.b[i] < 0x80 {
		d.i++
		*p = T(d.b[i])
		return
	}
	at := d.i
	x := d.longUvarint("an unsigned integer")
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
	i := d.i
	if d.left() < 4 {
		*p = 0
		d.short("a float")
		return
	}
	d.i = i + 4
	*p = T(math.Float32frombits(binary.LittleEndian.Uint32(d.b[i:])))
}

// ReadFloat64 reads a float.
func ReadFloat64[T ~float64](d *Decoder, p *T) {
	i := d.i
	if d.left() < 8 {
		*p = 0
		d.short("a float")
		return
	}
	d.i = i + 8
	*p = T(math.Float64frombits(binary.LittleEndian.Uint64(d.b[i:])))
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
	if i := d.i; i < len(d.b) {
		// As block does it, without the call.
		if end := i + 1 + int(d.b[i]); d.b[i] < 0x80 && end <= len(d.b) {
			d.i = end
			*p = T(d.b[i+1 : end])
			return
		}
	}
	*p = T(d.longBlock("a string"))
}

// sharedBytes is how much of a message short strings share, and so what one of them that is kept keeps of
// the others. Without that it would keep up to 16 bytes, since the allocator puts small objects together too.
const (
	sharedBytes = 64
	shortString = 15
)

// ReadStringOfMany reads a string that is a part of something. If there are several, short ones that stand close together in
// the message share one allocation of up to 64 bytes.
func ReadStringOfMany[T ~string](d *Decoder, p *T) {
	i := d.i
	if !d.many || i >= len(d.b) || d.b[i] == 0 || d.b[i] > shortString {
		ReadString(d, p)
		return
	}
	n := int(d.b[i])
	i++
	if i+n > len(d.b) {
		ReadString(d, p) // which says so
		return
	}
	if i+n > d.sharedAt+len(d.shared) { // i only grows
		d.shared, d.sharedAt = string(d.b[i:min(i+sharedBytes, len(d.b))]), i
	}
	d.i = i + n
	*p = T(d.shared[i-d.sharedAt:][:n])
}
