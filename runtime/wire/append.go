package wire

import (
	"encoding/binary"
	"math"
)

// AppendBool appends a bool.
func AppendBool[T ~bool](b []byte, p *T) []byte {
	if *p {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendByte appends a number of one byte.
func AppendByte[T ~int8 | ~uint8](b []byte, p *T) []byte { return append(b, byte(*p)) }

// AppendInt appends a signed integer.
func AppendInt[T ~int | ~int16 | ~int32 | ~int64](b []byte, p *T) []byte {
	x := int64(*p)
	return appendUvarint(b, uint64(x<<1)^uint64(x>>63))
}

// AppendUint appends an unsigned integer.
func AppendUint[T ~uint | ~uint16 | ~uint32 | ~uint64 | ~uintptr](b []byte, p *T) []byte {
	return appendUvarint(b, uint64(*p))
}

// AppendFloat32 appends a float.
func AppendFloat32[T ~float32](b []byte, p *T) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(*p)))
}

// AppendFloat64 appends a float.
func AppendFloat64[T ~float64](b []byte, p *T) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(*p)))
}

// AppendComplex64 appends a complex number.
func AppendComplex64[T ~complex64](b []byte, p *T) []byte {
	re, im := real(complex64(*p)), imag(complex64(*p))
	return AppendFloat32(AppendFloat32(b, &re), &im)
}

// AppendComplex128 appends a complex number.
func AppendComplex128[T ~complex128](b []byte, p *T) []byte {
	re, im := real(complex128(*p)), imag(complex128(*p))
	return AppendFloat64(AppendFloat64(b, &re), &im)
}

// AppendString appends a string.
func AppendString[T ~string](b []byte, p *T) []byte {
	return append(appendUvarint(b, uint64(len(*p))), *p...)
}

// AppendSlice appends a slice; each appends an element.
func AppendSlice[S ~[]E, E any](b []byte, p *S, each func([]byte, *E) []byte) []byte {
	s := *p
	b = appendLength(b, len(s), s == nil)
	for i := range s {
		b = each(b, &s[i])
	}
	return b
}

// AppendEmpties appends a slice of values that have no content. It fails, in the way that [Catch]
// expects, if there are more than [MaxEmpties].
func AppendEmpties[S ~[]E, E any](b []byte, p *S) []byte {
	if len(*p) > MaxEmpties {
		panic(tooManyEmpties(len(*p)))
	}
	return appendLength(b, len(*p), *p == nil)
}

// AppendMapLen appends the number of a map's entries. The caller appends the entries.
func AppendMapLen[M ~map[K]V, K comparable, V any](b []byte, p *M) []byte {
	return appendLength(b, len(*p), *p == nil)
}

// AppendPointer appends what a pointer points to; to appends that.
func AppendPointer[P ~*T, T any](b []byte, p *P, to func([]byte, *T) []byte) []byte {
	if *p == nil {
		return append(b, 0)
	}
	return to(append(b, 1), *p)
}

// appendLength appends 0 for nil and otherwise n+1.
func appendLength(b []byte, n int, isNil bool) []byte {
	if isNil {
		return append(b, 0)
	}
	return appendUvarint(b, uint64(n)+1)
}

// appendUvarint is binary.AppendUvarint with the small numbers, which are most, done where it is called.
func appendUvarint(b []byte, x uint64) []byte {
	if x < 0x80 {
		return append(b, byte(x))
	}
	return appendLongUvarint(b, x)
}

func appendLongUvarint(b []byte, x uint64) []byte {
	switch {
	case x < 1<<14:
		return append(b, byte(x)|0x80, byte(x>>7))
	case x < 1<<21:
		return append(b, byte(x)|0x80, byte(x>>7)|0x80, byte(x>>14))
	}
	return binary.AppendUvarint(b, x)
}
