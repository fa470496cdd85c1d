package cluster

import (
	"encoding/binary"
	"errors"
	"math"
)

var errShort = errors.New("cluster: a message that is cut short or damaged")

// reader reads the parts of a message. After the first that is not there all are zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return errShort
	}
	return nil
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) version() {
	if v := r.byte(); v != messageVersion {
		r.bad = true
	}
}

func (r *reader) bool() bool { return r.byte() == 1 }

func (r *reader) uvarint() uint64 { return number(r, binary.Uvarint) }
func (r *reader) varint() int64   { return number(r, binary.Varint) }

// number reads what decode decodes, which returns how many bytes it was as encoding/binary does.
func number[T uint64 | int64](r *reader, decode func([]byte) (T, int)) T {
	v, n := decode(r.b)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// int reads a number that is not negative.
func (r *reader) int() int {
	v := r.uvarint()
	if v > math.MaxInt {
		r.bad = true
		return 0
	}
	return int(v)
}

// count reads how many things follow, each of at least so many bytes.
func (r *reader) count(least int) int {
	n := r.int()
	if n > len(r.b)/least {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) bytes() []byte { return r.take(r.int()) }

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
