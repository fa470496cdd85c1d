package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Read reads the header of a .npy file of size bytes. It fails if the file cannot be what its header
// says; data beyond what the shape needs is allowed, as NumPy allows it. The file may come from
// anywhere: what Read allocates is bounded by the length that the header really has.
//
// Read does not judge whether Go has a type for the elements, with one exception: Python objects
// are stored as a pickle, so such a file has no elements to speak of and is refused.
func Read(r io.ReaderAt, size int64) (Header, error) {
	var h Header
	text, err := h.readText(r, size)
	if err != nil {
		return Header{}, err
	}
	p := newParser(text, h.Version[0] < 3, "the header", int(h.Offset)-len(text))
	p.header(&h)
	if p.err != nil {
		return Header{}, p.err
	}
	need, err := dataSize(h.Dtype, h.Shape)
	if err != nil {
		return Header{}, err
	}
	if present := size - h.Offset; need > present {
		return Header{}, fmt.Errorf("the data is cut short: shape %s of %s needs %d bytes, and %d are present",
			tuple(h.Shape), h.Dtype.describe(), need, present)
	}
	return h, nil
}

// readText sets the version and the offset, and returns the text of the header.
func (h *Header) readText(r io.ReaderAt, size int64) ([]byte, error) {
	if size <= 0 {
		return nil, errors.New("the file is empty; a .npy file has at least a header")
	}
	head := make([]byte, min(size, 12)) // the longest prefix: magic, version, four bytes of length
	if err := readFull(r, head, 0); err != nil {
		return nil, err
	}
	switch start := string(head[:min(len(head), len(magic))]); {
	case strings.HasPrefix(start, "PK\x03\x04"):
		return nil, errors.New("this is a zip archive, perhaps a .npz file; unpack the .npy files that are in it")
	case !strings.HasPrefix(magic, start):
		return nil, fmt.Errorf("this is not a .npy file: it begins with %q, not with %q", start, magic)
	}
	short := fmt.Errorf("the file ends within its header: it has only %d bytes", size)
	if len(head) < 8 {
		return nil, short
	}
	h.Version = [2]byte(head[6:8])
	start := 10
	switch h.Version {
	case [2]byte{1, 0}:
	case [2]byte{2, 0}, [2]byte{3, 0}:
		start = 12
	default:
		return nil, fmt.Errorf("the file has version %d.%d of the .npy format; versions 1.0, 2.0 and 3.0 can be read",
			h.Version[0], h.Version[1])
	}
	if len(head) < start {
		return nil, short
	}
	var length int64
	if start == 10 {
		length = int64(binary.LittleEndian.Uint16(head[8:]))
	} else {
		length = int64(binary.LittleEndian.Uint32(head[8:]))
	}
	if length > size-int64(start) {
		return nil, fmt.Errorf("the file ends within its header: that needs %d bytes, and the file has %d",
			int64(start)+length, size)
	}
	if length > maxText {
		return nil, fmt.Errorf("the header says it is %d bytes long; at most %d are read", length, maxText)
	}
	text := make([]byte, length)
	if err := readFull(r, text, int64(start)); err != nil {
		return nil, err
	}
	if h.Version[0] == 3 && !utf8.Valid(text) {
		return nil, errors.New("the header is not valid UTF-8, as version 3.0 of the .npy format requires")
	}
	h.Offset = int64(start) + length
	return text, nil
}

// readFull reads all of b. A reader may return io.EOF with the last bytes, or too early if the file
// was cut since its size was taken.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading the header: %w", err)
}
