package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// AppendHeader appends to b the header of a .npy file, byte for byte as numpy.save of NumPy 1.24
// writes it: in the oldest version of the format that can say it, with room for the axis along which
// an array grows, and padded so that the data begins at a multiple of 64 bytes. It fails for a shape
// that no file can have, and for a dtype with so many fields that Read would refuse the header.
//
// NumPy reads headers of more than 10000 bytes, a few hundred fields, only if told to with
// max_header_size or allow_pickle.
func AppendHeader(b []byte, dt Dtype, fortran bool, shape []int) ([]byte, error) {
	if dt.kind == 0 {
		return b, errors.New("the header has no dtype")
	}
	if _, err := dataSize(dt, shape); err != nil {
		return b, err
	}
	order := "False"
	if fortran {
		order = "True"
	}
	text := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", dt.descr(), order, tuple(shape))

	// NumPy leaves room for the digits of the largest axis there can be, so that a header can be
	// changed in place when the array grows along the axis that changes slowest.
	if len(shape) > 0 {
		axis := shape[0]
		if fortran {
			axis = shape[len(shape)-1]
		}
		text += strings.Repeat(" ", 21-len(strconv.Itoa(axis)))
	}

	version, start := byte(1), 10
	latin, ok := latin1(text)
	if ok {
		text = latin
	}
	if padded(start, text) > math.MaxUint16 {
		version, start = 2, 12
	}
	if !ok {
		version, start = 3, 12
	}
	length := padded(start, text)
	if length > maxText {
		return b, fmt.Errorf("the header would be %d bytes long; the dtype has too many fields", length)
	}
	b = append(b, magic...)
	b = append(b, version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(length))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(length))
	}
	b = append(b, text...)
	b = append(b, strings.Repeat(" ", length-len(text)-1)...)
	return append(b, '\n'), nil
}

// padded is the length of text with its spaces and line feed, when start bytes come before it. Like
// NumPy it adds 64 spaces to a header that needs none.
func padded(start int, text string) int {
	const align = 64
	n := len(text) + 1
	return n + align - (start+n)%align
}

// latin1 encodes s in Latin-1, if that is possible.
func latin1(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}
