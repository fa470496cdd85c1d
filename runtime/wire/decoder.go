package wire

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// MaxEmpties is how many elements a slice of values without content, as []struct{}, may have in a message:
// no byte of the message stands for them, so nothing else limits their number.
const MaxEmpties = 1 << 20

// maxUnpaid is how much memory a message may ask for that none of its bytes stand for.
const maxUnpaid = 1 << 18

// Decoder reads a message. The first error stays: everything that is read after it is zero. A
// Decoder is for one goroutine.
type Decoder struct {
	b      []byte // the message; it stays, because a pointer that moved would be a write barrier's business
	i      int    // how much of it has been read; all of it after an error
	unpaid int    // bytes of memory without content that were allocated
	err    error

	many     bool   // there are several strings
	shared   string // a copy of the message's bytes from sharedAt on, for short strings that are some of many
	sharedAt int
}

// Decode returns a decoder of what is at the start of b. What is decoded never refers to b's memory.
func Decode(b []byte) Decoder { return Decoder{b: b} }

// DecodeMany is [Decode] for a type that has several strings, which may then share memory.
func DecodeMany(b []byte) Decoder { return Decoder{b: b, many: true} }

// Rest returns what has not been read, and the first error.
func (d *Decoder) Rest() ([]byte, error) { return d.b[d.i:], d.err }

// End returns the first error; bytes that were not read are one.
func (d *Decoder) End() error {
	if d.err == nil && d.left() > 0 {
		d.fail(d.i, "%d bytes are left over", d.left())
	}
	return d.err
}

// left is how many bytes have not been read.
func (d *Decoder) left() int { return len(d.b) - d.i }

// fail keeps an error at a byte of the message and makes everything after it zero.
func (d *Decoder) fail(at int, format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("at byte %d of %d: %w", at, len(d.b), fmt.Errorf(format, args...))
	}
	d.i = len(d.b)
}

// short says that the message ends too early. All that is read after an error comes here, so then it costs nothing.
func (d *Decoder) short(what string) {
	if d.err == nil {
		d.fail(d.i, "%s is cut short, with %d bytes left", what, d.left())
	}
}

// byte reads one byte.
func (d *Decoder) byte(what string) byte {
	if d.i >= len(d.b) {
		d.short(what)
		return 0
	}
	c := d.b[d.i]
	d.i++
	return c
}

// flag reads a byte that is 0 or 1.
func (d *Decoder) flag(what string) bool {
	c := d.byte(what)
	if c > 1 {
		d.fail(d.i-1, "%s has the byte %d, not 0 or 1", what, c)
		return false
	}
	return c == 1
}

// uvarint reads an unsigned integer. Small ones, which are most, are read where it is called.
func (d *Decoder) uvarint(what string) uint64 {
	if i := d.i; i < len(d.b) && d.b[i] < 0x80 {
		d.i++
		return uint64(d.b[i])
	}
	return d.longUvarint(what)
}

// longUvarint reads one whose first byte says that more follow, or of which there is nothing.
func (d *Decoder) longUvarint(what string) uint64 {
	if i := d.i; i <= len(d.b)-4 { // two, three or four bytes, which most of the others have
		b := d.b[i : i+4]
		x := uint64(b[0]&0x7f) | uint64(b[1]&0x7f)<<7
		if b[1] < 0x80 {
			d.i += 2
			return x
		}
		x |= uint64(b[2]&0x7f) << 14
		if b[2] < 0x80 {
			d.i += 3
			return x
		}
		if b[3] < 0x80 {
			d.i += 4
			return x | uint64(b[3])<<21
		}
	}
	x, n := binary.Uvarint(d.b[d.i:])
	switch {
	case n == 0:
		d.short(what)
		return 0
	case n < 0:
		d.fail(d.i, "%s does not fit in 64 bits", what)
		return 0
	}
	d.i += n
	return x
}

// fixed reads n bytes, or returns nil.
func (d *Decoder) fixed(what string, n int) []byte {
	i := d.i
	if n > len(d.b)-i {
		d.short(what)
		return nil
	}
	d.i = i + n
	return d.b[i : i+n : i+n]
}

// block reads a length and so many bytes; it returns nil after an error.
func (d *Decoder) block(what string) []byte {
	if i := d.i; i < len(d.b) {
		// A length of one byte.
		if end := i + 1 + int(d.b[i]); d.b[i] < 0x80 && end <= len(d.b) {
			d.i = end
			return d.b[i+1 : end : end]
		}
	}
	return d.longBlock(what)
}

func (d *Decoder) longBlock(what string) []byte {
	at := d.i
	n := d.uvarint(what)
	if n > uint64(d.left()) {
		d.fail(at, "%s has %d bytes, of which %d are left", what, n, d.left())
	}
	if d.err != nil {
		return nil
	}
	return d.fixed(what, int(n))
}

// length reads the length of a slice or map whose elements take at least size bytes each; ok is false
// if it is nil, and after an error.
func (d *Decoder) length(what string, size int) (n int, ok bool) {
	at := d.i
	u := d.uvarint(what)
	if u == 0 {
		return 0, false
	}
	u--
	if most, bytes := bits.Mul64(u, uint64(max(1, size))); most > 0 || bytes > uint64(d.left()) { // a division takes longer
		d.fail(at, "%s has %d elements, for which %d bytes are left", what, u, d.left())
		return 0, false
	}
	return int(u), true
}

// room is for how many elements of so many bytes memory is allocated at once, when n are announced. The memory
// that the message's rest pays for eight times over is enough for most types in one go; more comes
// with the elements.
func (d *Decoder) room(n, size int) int {
	d.many = d.many || n > 1
	if n <= 8 {
		return n
	}
	return min(n, 8*d.left()/max(1, size)+8)
}
