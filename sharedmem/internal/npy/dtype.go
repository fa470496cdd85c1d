package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Dtype is the type of the elements of a NumPy array: a number, a run of bytes, or a structure of
// named fields. It is made by [ParseDtype], [DtypeOf] or [Read].
type Dtype struct {
	kind   byte   // NumPy's letter, or kindStruct; 0 for no dtype at all
	order  byte   // '<', '>', or '|' where there is none
	size   int64  // in bytes
	unit   string // of dates and times: "[ns]"
	fields []field
}

// kindStruct is the kind of a structure. NumPy uses V, as for raw bytes.
const kindStruct = '{'

// field is a field of a structure. Padding is no field: it is where none is.
type field struct {
	name   string
	offset int64
	dtype  Dtype
	dims   []int // of an array of dtype; empty for one value
}

// count is the number of values in the field. The shape has been checked.
func (f field) count() int64 {
	n := int64(1)
	for _, dim := range f.dims {
		n *= int64(dim)
	}
	return n
}

// ParseDtype reads what [Dtype.String] and NumPy print: a type such as <f8 without quotes, or a list
// of fields such as [('x', '<f8'), ('n', '<i4', (3,))]. Titles of fields are dropped.
func ParseDtype(s string) (Dtype, error) {
	if !strings.HasPrefix(strings.TrimSpace(s), "[") {
		return parseScalar(s)
	}
	if !utf8.ValidString(s) {
		return Dtype{}, errors.New("the dtype is not valid UTF-8")
	}
	p := newParser([]byte(s), false, "the dtype", 0)
	dt := p.dtype()
	p.end()
	if p.err != nil {
		return Dtype{}, p.err
	}
	return dt, nil
}

// Size is the number of bytes of an element.
func (d Dtype) Size() int64 { return d.size }

// String prints the dtype as NumPy's dtype.str or, for a structure, dtype.descr does: <f8,
// [('x', '<f8')].
func (d Dtype) String() string {
	if d.kind == kindStruct {
		return d.descr()
	}
	return d.scalar()
}

// descr prints the dtype as it is in a header.
func (d Dtype) descr() string {
	if d.kind != kindStruct {
		return "'" + d.scalar() + "'"
	}
	var b strings.Builder
	at, sep := int64(0), "["
	padding := func(to int64) {
		if to > at {
			fmt.Fprintf(&b, "%s('', '|V%d')", sep, to-at)
			at, sep = to, ", "
		}
	}
	for _, f := range d.fields {
		padding(f.offset)
		fmt.Fprintf(&b, "%s(%s, %s", sep, repr(f.name), f.dtype.descr())
		if len(f.dims) > 0 {
			b.WriteString(", " + tuple(f.dims))
		}
		b.WriteString(")")
		at, sep = f.offset+f.dtype.size*f.count(), ", "
	}
	padding(d.size)
	if sep == "[" {
		return "[]"
	}
	return b.String() + "]"
}

// scalar prints a dtype that is no structure.
func (d Dtype) scalar() string {
	if d.kind == 0 {
		return ""
	}
	size := strconv.FormatInt(d.size, 10)
	if d.kind == 'U' {
		size = strconv.FormatInt(d.size/4, 10)
	}
	return string([]byte{d.order, d.kind}) + size + d.unit
}
