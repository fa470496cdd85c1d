package wire

import (
	"encoding/binary"
	"math/bits"
)

// Number is what blocks are made of.
type Number interface {
	bool | int8 | int16 | int32 | int64 | int | uint8 | uint16 | uint32 | uint64 | uint | uintptr |
		float32 | float64 | complex64 | complex128
}

// AppendNumbers appends a slice as a block. Its elements are numbers with the underlying type U, or arrays of
// nothing else, or structs of nothing else if U is a float or complex. U is given, the other types follow.
func AppendNumbers[U Number, S ~[]E, E any](b []byte, p *S) []byte {
	s := *p
	b = appendLength(b, len(s), s == nil)
	return laneOf[U]().append(b, bytesOf(s))
}

// AppendFixed appends an array or struct of nothing but numbers with the underlying type U.
func AppendFixed[U Number, A any](b []byte, p *A) []byte {
	return laneOf[U]().append(b, bytesAt(p))
}

// ReadNumbers reads a slice that [AppendNumbers] has appended.
func ReadNumbers[U Number, S ~[]E, E any](d *Decoder, p *S) {
	l := laneOf[U]()
	size := sizeOf[E]()
	if l.wire != l.memory {
		size = size / l.memory * l.wire
	}
	n, ok := d.length("a slice of numbers", size)
	if !ok {
		*p = nil
		return
	}
	raw := d.fixed("a slice of numbers", n*size)
	s := make(S, n)
	if l.plain {
		copy(bytesOf(s), raw)
	} else {
		l.read(d, bytesOf(s), raw)
	}
	*p = s
}

// ReadFixed reads an array or struct that [AppendFixed] has appended.
func ReadFixed[U Number, A any](d *Decoder, p *A) {
	l := laneOf[U]()
	into := bytesAt(p)
	if raw := d.fixed("an array of numbers", len(into)/l.memory*l.wire); raw != nil {
		l.read(d, into, raw)
	} else {
		clear(into)
	}
}

// lane says how a number lies in memory and in a message. A complex number is two lanes. With more than four fields it
// would not be kept in registers.
type lane struct {
	memory, wire int  // bytes
	plain        bool // any bytes of a message can be copied to memory as they are
	signed       bool // a lane that is wider in a message is extended by its sign
}

// logical says that only 0 and 1 are allowed: no other byte is not plain.
func (l lane) logical() bool { return l.wire == 1 && !l.plain }

// laneOf describes the lanes of a number.
func laneOf[U Number]() lane {
	switch any((*U)(nil)).(type) { // a pointer costs nothing to look at
	case *bool:
		return lane{memory: 1, wire: 1}
	case *int:
		return lane{memory: wordSize, wire: 8, plain: wordSize == 8 && !swapped, signed: true}
	case *uint, *uintptr:
		return lane{memory: wordSize, wire: 8, plain: wordSize == 8 && !swapped}
	case *int8, *uint8:
		return lane{memory: 1, wire: 1, plain: true}
	case *int16, *uint16:
		return lane{memory: 2, wire: 2, plain: !swapped}
	case *int32, *uint32, *float32, *complex64:
		return lane{memory: 4, wire: 4, plain: !swapped}
	}
	return lane{memory: 8, wire: 8, plain: !swapped}
}

const wordSize = bits.UintSize / 8

// swapped says that this machine is big-endian.
var swapped = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// append appends what lies in memory.
func (l lane) append(b, memory []byte) []byte {
	if l.plain || l.logical() {
		return append(b, memory...)
	}
	for ; len(memory) >= l.memory; memory = memory[l.memory:] {
		var x uint64
		switch l.memory {
		case 2:
			x = uint64(binary.NativeEndian.Uint16(memory))
		case 4:
			x = uint64(binary.NativeEndian.Uint32(memory))
			if l.signed {
				x = uint64(int32(x))
			}
		case 8:
			x = binary.NativeEndian.Uint64(memory)
		}
		switch l.wire {
		case 2:
			b = binary.LittleEndian.AppendUint16(b, uint16(x))
		case 4:
			b = binary.LittleEndian.AppendUint32(b, uint32(x))
		case 8:
			b = binary.LittleEndian.AppendUint64(b, x)
		}
	}
	return b
}

// read fills memory from the message.
func (l lane) read(d *Decoder, memory, raw []byte) {
	switch {
	case l.plain:
		copy(memory, raw)
		return
	case l.logical():
		// Any other byte in a bool makes the compiled program behave in ways that Go does not know.
		for i, c := range raw {
			if c > 1 {
				d.fail(d.i-len(raw)+i, "a bool has the byte %d, not 0 or 1", c)
				return
			}
			memory[i] = c
		}
		return
	}
	for ; len(memory) >= l.memory; memory, raw = memory[l.memory:], raw[l.wire:] {
		var x uint64
		switch l.wire {
		case 2:
			x = uint64(binary.LittleEndian.Uint16(raw))
		case 4:
			x = uint64(binary.LittleEndian.Uint32(raw))
		case 8:
			x = binary.LittleEndian.Uint64(raw)
		}
		if l.memory < l.wire && !l.fits(x) {
			d.misfit(d.i-len(raw), int64(x), 32)
			return
		}
		switch l.memory {
		case 2:
			binary.NativeEndian.PutUint16(memory, uint16(x))
		case 4:
			binary.NativeEndian.PutUint32(memory, uint32(x))
		case 8:
			binary.NativeEndian.PutUint64(memory, x)
		}
	}
}

// fits says whether a word of a message fits in a word of 32 bits.
func (l lane) fits(x uint64) bool {
	if l.signed {
		return int64(x) == int64(int32(x))
	}
	return x == uint64(uint32(x))
}
