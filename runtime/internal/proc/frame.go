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
)

// Frames are a byte that says what they are, the length of what follows with a check in its upper bytes, and that.
const headerSize = 1 + 8

const (
	lengthBits = 48
	inArea     = 1 << (lengthBits - 1) // marks a length: the content says where in the area that of the frame lies
	maxLength  = inArea - 1
)

// check tells frames from what a job has written to a descriptor that is not its own: the reader would
// otherwise take that for a length, and wait for so many bytes. Zeros are no frame. The length is with its mark.
func check(kind byte, length uint64) uint64 {
	sum := length ^ length>>16 ^ length>>32 ^ uint64(kind)<<8
	return (sum ^ 0xa55a) & 0xffff
}

// checked is a length as it is sent.
func checked(kind byte, length uint64) uint64 { return length | check(kind, length)<<lengthBits }

// Writer writes frames. It may be used by several goroutines.
type Writer struct {
	mu   sync.Mutex
	w    io.Writer
	buf  []byte // frames that were not flushed
	open int    // where the last of them begins if Add may lengthen it, otherwise -1
	area *Area  // nil: no memory is shared
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, open: -1} }

// Share has the writer use an area, whose reader has been told, from the next frame on.
func (w *Writer) Share(a *Area) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.area = a
}

// largeFrame is not worth copying into one piece with its header, and worth laying into an area: BenchmarkLarge.
const largeFrame = 64 << 10

// Write writes a frame whose content is parts one after the other, with all that was added before.
func (w *Writer) Write(kind byte, parts ...[]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := total(parts)
	if n > largeFrame {
		return w.large(kind, n, parts)
	}
	w.header(kind, uint64(n))
	w.append(parts)
	return w.flush()
}

// Add adds head and tail to the content of a frame that is written with the next Write or Flush, or when it has become
// long. What is added in succession for frames of the same kind is one frame.
func (w *Writer) Add(kind byte, head, tail []byte) (err error) {
	w.mu.Lock()
	if n := len(head) + len(tail); n > largeFrame {
		err = w.large(kind, n, [][]byte{head, tail})
		w.mu.Unlock()
		return err
	}
	if w.open < 0 || w.buf[w.open] != kind {
		at := len(w.buf)
		w.header(kind, 0)
		w.open = at
	}
	w.buf = append(append(w.buf, head...), tail...)
	length := w.buf[w.open+1:]
	binary.LittleEndian.PutUint64(length, checked(kind, uint64(len(length)-8)))
	if len(w.buf) >= largeFrame {
		err = w.flush()
	}
	w.mu.Unlock()
	return err
}

// Flush writes what was added.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func total(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

func (w *Writer) header(kind byte, n uint64) {
	w.buf = append(w.buf, kind)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, checked(kind, n))
	w.open = -1
}

func (w *Writer) append(parts [][]byte) {
	for _, p := range parts {
		w.buf = append(w.buf, p...)
	}
}

// large writes a frame of n bytes: into the area if it is worth that and there is room, or into the pipe.
func (w *Writer) large(kind byte, n int, parts [][]byte) error {
	if w.area != nil {
		if off, ok := w.area.place(n, parts); ok {
			w.header(kind, placeSize|inArea)
			w.buf = appendPlace(w.buf, off, n)
			return w.flush()
		}
	}
	w.header(kind, uint64(n))
	if err := w.flush(); err != nil {
		return err
	}
	for _, p := range parts {
		if err := w.write(p); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	err := w.write(w.buf)
	if w.buf, w.open = w.buf[:0], -1; cap(w.buf) > 4*largeFrame {
		w.buf = nil
	}
	return err
}

func (w *Writer) write(p []byte) error {
	n, err := w.w.Write(p)
	if w.area != nil {
		w.area.written.Add(int64(n))
	}
	return err
}

// Reader reads frames.
type Reader struct {
	r     io.Reader
	buf   []byte
	have  []byte // of buf, not yet read
	area  *Area  // nil: no memory is shared
	lends bool   // the content of the last frame lies in the area
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, largeFrame)} }

// Share has the reader use an area, which it does not have to before the writer does.
func (r *Reader) Share(a *Area) { r.area = a }

// A length that is nonsense must not take all memory: room is made for the first step, and when that
// has come, for so many times as much.
const (
	step   = 1 << 20
	growth = 128
)

// ErrDamaged means that what was read is no frame.
var ErrDamaged = errors.New("the stream is damaged")

// Read returns the next frame. Its content is good until the next Read or Release. io.EOF means that the other
// side has ended between two frames.
func (r *Reader) Read() (kind byte, content []byte, err error) {
	r.Release()
	if r.area != nil && len(r.have) == 0 {
		r.area.spin()
	}
	if err := r.fill(headerSize); err != nil {
		if err == io.ErrUnexpectedEOF && len(r.have) == 0 {
			err = io.EOF
		}
		return 0, nil, err
	}
	kind = r.have[0]
	word := binary.LittleEndian.Uint64(r.have[1:])
	marked := word & (maxLength | inArea)
	if word>>lengthBits != check(kind, marked) {
		return 0, nil, fmt.Errorf("%w: it begins with %q", ErrDamaged, r.have[:headerSize])
	}
	length, elsewhere := marked&maxLength, marked&inArea != 0
	if elsewhere && length != placeSize {
		return 0, nil, fmt.Errorf("%w: a place of %d bytes", ErrDamaged, length)
	}
	r.have = r.have[headerSize:]
	for n := 0; n < int(length); {
		n = min(max(n*growth, step), int(length))
		if err := r.fill(n); err != nil {
			return 0, nil, err
		}
	}
	content, r.have = r.have[:length], r.have[length:]
	if elsewhere {
		if content, err = r.area.find(content); err != nil {
			return 0, nil, err
		}
		r.lends = true
	}
	return kind, content, nil
}

// Release says that the content of the last frame is of no more use. The next Read does it, too; but the other side may
// need the room sooner.
func (r *Reader) Release() {
	if r.lends {
		r.lends = false
		r.area.done.Add(1)
	}
}

// fill sees to it that r.have has n bytes.
func (r *Reader) fill(n int) error {
	for len(r.have) < n {
		if cap(r.have) < n || len(r.have) == 0 { // what is left moves to the beginning
			if len(r.buf) < n {
				b := make([]byte, n+n/8)
				r.have = b[:copy(b, r.have)]
				r.buf = b
			} else {
				r.have = r.buf[:copy(r.buf, r.have)]
			}
		}
		k, err := r.r.Read(r.have[len(r.have):cap(r.have)])
		r.have = r.have[:len(r.have)+k]
		if r.area != nil {
			r.area.got += int64(k)
		}
		if err == io.EOF && len(r.have) < n {
			return io.ErrUnexpectedEOF
		}
		if err != nil && len(r.have) < n {
			return err
		}
	}
	return nil
}
