// Package proc starts this program again as a child process and talks to it: frames over two pipes,
// descriptors over a socket, and what is to be known when it dies. What the frames mean is package
// jobgen's.
package proc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Frames are a byte that says what they are, the length of what follows with a check in its upper bytes, and that.
const headerSize = 1 + 8

const (
	lengthBits = 48
	maxLength  = 1<<lengthBits - 1
)

// check tells frames from what a job has written to a descriptor that is not its own: the reader would
// otherwise take that for a length, and wait for so many bytes. Zeros are no frame.
func check(kind byte, length uint64) uint64 {
	sum := length ^ length>>16 ^ length>>32 ^ uint64(kind)<<8
	return (sum ^ 0xa55a) & 0xffff
}

// Writer writes frames. It may be used by several goroutines.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte // frames that were not flushed
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// largeFrame is not worth copying into one piece with its header.
const largeFrame = 64 << 10

// Write writes a frame whose content is parts one after the other, with all that was put before.
func (w *Writer) Write(kind byte, parts ...[]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.header(kind, parts); n > largeFrame {
		if err := w.flush(); err != nil {
			return err
		}
		for _, p := range parts {
			if _, err := w.w.Write(p); err != nil {
				return err
			}
		}
		return nil
	}
	w.append(parts)
	return w.flush()
}

// Put keeps a frame until the next Write or Flush, or until there are many.
func (w *Writer) Put(kind byte, parts ...[]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.header(kind, parts)
	w.append(parts)
	if len(w.buf) < largeFrame {
		return nil
	}
	return w.flush()
}

// Flush writes what was put.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *Writer) header(kind byte, parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	w.buf = append(w.buf, kind)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(n)|check(kind, uint64(n))<<lengthBits)
	return n
}

func (w *Writer) append(parts [][]byte) {
	for _, p := range parts {
		w.buf = append(w.buf, p...)
	}
}

func (w *Writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf)
	if w.buf = w.buf[:0]; cap(w.buf) > 4*largeFrame {
		w.buf = nil
	}
	return err
}

// Reader reads frames.
type Reader struct {
	r     io.Reader
	buf   []byte
	have  []byte // of buf, not yet read
	spare atomic.Pointer[[]byte]
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, 64<<10)} }

// A length that is nonsense must not take all memory: room is made for the first step, and when that
// has come, for so many times as much.
const (
	step   = 1 << 20
	growth = 128
)

// ErrDamaged means that what was read is no frame.
var ErrDamaged = errors.New("the stream is damaged")

// Read returns the next frame. Its content is good until the next Read. io.EOF means that the other
// side has ended between two frames.
func (r *Reader) Read() (kind byte, content []byte, err error) {
	if err := r.fill(headerSize); err != nil {
		if err == io.ErrUnexpectedEOF && len(r.have) == 0 {
			err = io.EOF
		}
		return 0, nil, err
	}
	kind = r.have[0]
	word := binary.LittleEndian.Uint64(r.have[1:])
	length := word & maxLength
	if word>>lengthBits != check(kind, length) {
		return 0, nil, fmt.Errorf("%w: it begins with %q", ErrDamaged, r.have[:headerSize])
	}
	r.have = r.have[headerSize:]
	for n := 0; n < int(length); {
		n = min(max(n*growth, step), int(length))
		if err := r.fill(n); err != nil {
			return 0, nil, err
		}
	}
	content, r.have = r.have[:length], r.have[length:]
	return kind, content, nil
}

// Keep makes the content of the last frame the caller's own, where it is worth more than a copy.
func (r *Reader) Keep(content []byte) []byte {
	if len(content) < largeFrame {
		return append([]byte(nil), content...)
	}
	left := r.have
	r.buf = make([]byte, max(largeFrame, len(left)))
	r.have = r.buf[:copy(r.buf, left)]
	return content
}

// Reuse gives back what Keep has given, when it is of no more use. It may be called by any goroutine.
func (r *Reader) Reuse(content []byte) {
	if cap(content) >= largeFrame {
		content = content[:cap(content)]
		r.spare.Store(&content)
	}
}

// room returns a slice of at least n bytes.
func (r *Reader) room(n int) []byte {
	if b := r.spare.Swap(nil); b != nil && len(*b) >= n {
		return *b
	}
	return make([]byte, n+n/8)
}

// fill sees to it that r.have has n bytes.
func (r *Reader) fill(n int) error {
	for len(r.have) < n {
		if cap(r.have) < n || len(r.have) == 0 { // what is left moves to the beginning
			if len(r.buf) < n {
				b := r.room(n)
				r.have = b[:copy(b, r.have)]
				r.buf = b
			} else {
				r.have = r.buf[:copy(r.buf, r.have)]
			}
		}
		k, err := r.r.Read(r.have[len(r.have):cap(r.have)])
		r.have = r.have[:len(r.have)+k]
		if err == io.EOF && len(r.have) < n {
			return io.ErrUnexpectedEOF
		}
		if err != nil && len(r.have) < n {
			return err
		}
	}
	return nil
}
