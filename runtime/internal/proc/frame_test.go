package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

// Frames come out as they went in, however the pipe cuts them.
func TestFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pipe bytes.Buffer
		w := NewWriter(&pipe)
		type frame struct {
			kind    byte
			content []byte
		}
		var sent []frame
		for range rapid.IntRange(0, 20).Draw(t, "frames") {
			n := rapid.OneOf(rapid.IntRange(0, 50), rapid.IntRange(largeFrame-20, 3*largeFrame)).Draw(t, "size")
			f := frame{rapid.Byte().Draw(t, "kind"), bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, n)}
			sent = append(sent, f)
			cut := rapid.IntRange(0, n).Draw(t, "cut")
			if err := w.Write(f.kind, f.content[:cut], f.content[cut:]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		var in io.Reader = &pipe
		if rapid.Bool().Draw(t, "bytewise") && pipe.Len() < 100_000 {
			in = iotest.OneByteReader(in)
		}
		r := NewReader(in)
		var kept [][]byte
		for i, f := range sent {
			kind, content, err := r.Read()
			if err != nil || kind != f.kind || !bytes.Equal(content, f.content) {
				t.Fatalf("frame %d: %q, %d bytes, %v; want %q, %d bytes", i, kind, len(content), err, f.kind, len(f.content))
			}
			kept = append(kept, bytes.Clone(content))
		}
		for i, f := range sent {
			if !bytes.Equal(kept[i], f.content) {
				t.Fatalf("frame %d was not kept", i)
			}
		}
		if _, _, err := r.Read(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

// What is added in succession for one kind is one frame, until something else is written or what there is is flushed.
func TestAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pipe bytes.Buffer
		w := NewWriter(&pipe)
		var want []byte // kinds and contents, without what divides frames
		divided := true
		frames := 0
		last := byte(0)
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			kind := rapid.SampledFrom([]byte("abc")).Draw(t, "kind")
			n := rapid.OneOf(rapid.IntRange(1, 50), rapid.IntRange(largeFrame/2, 2*largeFrame)).Draw(t, "size")
			content := bytes.Repeat([]byte{kind}, n)
			want = append(want, content...)
			var err error
			before := pipe.Len()
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				err = w.Write(kind, content)
				frames, divided = frames+1, true
			case 1:
				err = w.Add(kind, content[:1], content[1:])
				if divided || kind != last || n > largeFrame {
					frames++
				}
				divided = pipe.Len() > before // it had become long
			case 2:
				err = w.Add(kind, content, nil)
				if divided || kind != last || n > largeFrame {
					frames++
				}
				if err == nil {
					err = w.Flush()
				}
				divided = true
			}
			if last = kind; err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		var got []byte
		r := NewReader(&pipe)
		for range frames {
			kind, content, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			if len(content) == 0 || len(bytes.Trim(content, string(kind))) > 0 {
				t.Fatalf("a frame %q has %d bytes, not all of its kind", kind, len(content))
			}
			got = append(got, content...)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, want %d", len(got), len(want))
		}
		if _, _, err := r.Read(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

func TestCutFrames(t *testing.T) {
	var pipe bytes.Buffer
	if err := NewWriter(&pipe).Write('x', make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < pipe.Len(); n++ {
		if _, _, err := NewReader(bytes.NewReader(pipe.Bytes()[:n])).Read(); err != io.ErrUnexpectedEOF {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// What somebody else has written is no frame, wherever it stands.
func TestDamagedFrames(t *testing.T) {
	for _, garbage := range []string{"hello, world\n", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", "x\x05\x00\x00\x00\x00\x00\x00\x00hello", "D"} {
		var pipe bytes.Buffer
		w := NewWriter(&pipe)
		w.Write('a', []byte("first"))
		pipe.WriteString(garbage)
		w.Write('b', []byte("second"))
		r := NewReader(&pipe)
		if kind, _, err := r.Read(); kind != 'a' || err != nil {
			t.Errorf("%q: the frame before it: %q, %v", garbage, kind, err)
		}
		if _, content, err := r.Read(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: it is read as %q, %v", garbage, content, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	var pipe bytes.Buffer
	w := NewWriter(&pipe)
	w.Write('a', []byte("hello"))
	w.Write('b')
	f.Add(pipe.Bytes())
	f.Add([]byte{'x', 255, 255, 255, 255, 255, 255, 255, 255})
	long := binary.LittleEndian.AppendUint64([]byte{'x'}, 1<<32|check('x', 1<<32)<<lengthBits) // and little of it comes
	f.Add(append(long, 1, 2, 3))
	place := binary.LittleEndian.AppendUint64([]byte{'x'}, checked('x', placeSize|inArea)) // there is no area
	f.Add(append(place, make([]byte, placeSize)...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(bytes.NewReader(stream))
		for total := 0; ; {
			_, content, err := r.Read()
			if cap(r.buf) > 4*len(stream)+4*step {
				t.Fatalf("%d bytes of room for %d bytes", cap(r.buf), len(stream))
			}
			if err != nil {
				return
			}
			if total += len(content) + headerSize; total > len(stream) {
				t.Fatal("more came out than went in")
			}
		}
	})
}
