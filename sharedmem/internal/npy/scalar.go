package npy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// aliases are the names that other writers of .npy files use for what NumPy writes with a letter and
// a size. Those that mean different sizes on different machines are left out.
var aliases = map[string]string{
	"?": "b1", "b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4", "q": "i8", "Q": "u8",
	"e": "f2", "f": "f4", "d": "f8", "F": "c8", "D": "c16", "M": "M8", "m": "m8",
	"bool": "b1", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8",
	"uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8",
	"float16": "f2", "float32": "f4", "float64": "f8", "complex64": "c8", "complex128": "c16",
}

// sizes are the sizes in bytes that the kinds can have. Those of long doubles differ among machines.
var sizes = map[byte][]int64{
	'b': {1},
	'i': {1, 2, 4, 8},
	'u': {1, 2, 4, 8},
	'f': {2, 4, 8, 12, 16},
	'c': {8, 16, 24, 32},
	'M': {8},
	'm': {8},
}

// parseScalar reads a type string such as <f8: byte order, kind, size and, for dates and times, a
// unit. What Go cannot view is known too, as the error about it has to name it.
func parseScalar(s string) (Dtype, error) {
	unknown := fmt.Errorf("the dtype %s is unknown; dtypes such as '<f8', '|b1' or '<i4' can be read", show(s))
	d := Dtype{order: native}
	rest := s
	if rest != "" && strings.IndexByte("<>=|", rest[0]) >= 0 {
		// NumPy takes | for the machine's order where there has to be one.
		if rest[0] == '<' || rest[0] == '>' {
			d.order = rest[0]
		}
		rest = rest[1:]
	}
	rest, unit, hasUnit := strings.Cut(rest, "[")
	if a, ok := aliases[rest]; ok && (len(rest) == 1 || rest == s) {
		rest = a
	}
	if rest == "" {
		return Dtype{}, unknown
	}
	d.kind, rest = rest[0], rest[1:]

	n, err := strconv.ParseUint(rest, 10, 61) // four times that fits int64
	if err != nil && rest != "" {
		return Dtype{}, unknown
	}
	d.size = int64(n)
	switch d.kind {
	case 'O':
		return Dtype{}, fmt.Errorf("an array of Python objects, dtype %s, can be read by Python only; "+
			"save an array of numbers instead", show(s))
	case 'S', 'V': // bytes, any number of them
		d.order = '|'
	case 'U': // characters, in UTF-32
		d.size *= 4
	default:
		if !slices.Contains(sizes[d.kind], d.size) {
			return Dtype{}, unknown
		}
		if d.size == 1 {
			d.order = '|'
		}
	}
	if hasUnit {
		if d.kind != 'M' && d.kind != 'm' || !isUnit(unit) {
			return Dtype{}, unknown
		}
		d.unit = "[" + unit
	}
	return d, nil
}

// isUnit tells whether s is the unit of a date or time, after its bracket: "ns]", "25s]".
func isUnit(s string) bool {
	switch strings.TrimLeft(s, "0123456789") {
	case "Y]", "M]", "W]", "D]", "h]", "m]", "s]", "ms]", "us]", "ns]", "ps]", "fs]", "as]", "generic]":
		return true
	}
	return false
}
