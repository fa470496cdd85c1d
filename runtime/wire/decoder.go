package wire

import (
	"encoding/binary"
	"fmt"
)

// MaxEmpties is how many elements a slice of values without content, as []struct{}, may have in a message:
// no byte of the message stands for them, so nothing else limits their number.
const MaxEmpties = 1 << 20

// maxUnpaid is how much memory a message may ask for that none of its bytes stand for.
const maxUnpaid = 1 << 18

// Decoder reads a message. The first error stays: everything that is read after it is zero. A
// Decoder is for one goroutine.
type Decoder struct {
	b      []byte // what has not been read; nothing after an error
	size   int    // of the message
	unpaid int    // bytes of memory without content that were allocated
	err    error
}

// Decode returns a decoder of what is at the start of b. What is decoded never refers to b's memory.
func Decode(b []byte) Decoder { return Decoder{b: b, size: len(b)} }

// Rest returns what has not been read, and the first error.
func (d *Decoder) Rest() ([]byte, error) { return d.b, d.err }

// End returns the first error; bytes that were not read are one.
func (d *Decoder) End() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail(d.at(), "%d bytes are left over", len(d.b))
	}
	return d.err
}

// at is how many bytes have been read.
func (d *Decoder) at() int { return d.size - len(d.b) }

// fail keeps an error at a byte of the message and makes everything after it zero.
func (d *Decoder) fail(at int, format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("at byte %d of %d: %w", at, d.size, fmt.Errorf(format, args...))
	}
	d.b = nil
}

// short says that the message ends too early, and returns nothing.
func (d *Decoder) short(what string) []byte {
	d.fail(d.at(), "%s is cut short, with %d bytes left", what, len(d.b))
	return nil
}

// byte reads one byte.
func (d *Decoder) byte(what string) byte {
	if len(d.b) == 0 {
		d.short(what)
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

// flag reads a byte that is 0 or 1.
func (d *Decoder) flag(what string) bool {
	c := d.byte(what)
	if c > 1 {
		d.fail(d.at()-1, "%s has the byte %d, not 0 or 1", what, c)
		return false
	}
	return c == 1
}

// uvarint reads an unsigned integer.
func (d *Decoder) uvarint(what string) uint64 {
	if b := d.b; len(b) > 0 && b[0] < 0x80 {
		d.b = b[1:]
		return uint64(b[0])
	}
	return d.longUvarint(what)
}

func (d *Decoder) longUvarint(what string) uint64 {
	x, n := binary.Uvarint(d.b)
	switch {
	case n == 0:
		d.short(what)
		return 0
	case n < 0:
		d.fail(d.at(), "%s does not fit in 64 bits", what)
		return 0
	}
	d.b = d.b[n:]
	return x
}

// fixed reads n bytes, or returns nil.
func (d *Decoder) fixed(what string, n int) []byte {
	b := d.b
	if n > len(b) {
		return d.short(what)
	}
	d.b = b[n:]
	return b[:n]
}

// block reads a length and so many bytes.
func (d *Decoder) block(what string) (raw []byte, ok bool) {
	at := d.at()
	n := d.uvarint(what)
	if n > uint64(len(d.b)) {
		d.fail(at, "%s has %d bytes, of which %d are left", what, n, len(d.b))
	}
	if d.err != nil {
		return nil, false
	}
	raw = d.fixed(what, int(n))
	return raw[:len(raw):len(raw)], true
}

// length reads the length of a slice or map whose elements take at least size bytes each; ok is false
// if it is nil, and after an error.
func (d *Decoder) length(what string, size int) (n int, ok bool) {
	at := d.at()
	u := d.uvarint(what)
	if u == 0 {
		return 0, false
	}
	if u--; u > uint64(len(d.b)/max(1, size)) {
		d.fail(at, "%s has %d elements, for which %d bytes are left", what, u, len(d.b))
		return 0, false
	}
	return int(u), true
}

// room is for how many elements of so many bytes memory is allocated at once, when n are announced. The memory
// that the message's rest pays for eight times over is enough for most types in one go; more comes
// with the elements.
func (d *Decoder) room(n, size int) int {
	return min(n, 8*len(d.b)/max(1, size)+8)
}
