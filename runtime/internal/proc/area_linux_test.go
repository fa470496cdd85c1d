package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// shareBetween makes a pipe between a writer and a reader, and an area of size bytes if size is not 0. The reader sees the area
// through a mapping of its own, as another process would.
func shareBetween(t testing.TB, size int) (*Writer, *Reader) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	widen(out)
	t.Cleanup(func() { in.Close(); out.Close() })
	w, r := NewWriter(out), NewReader(in)
	if size == 0 {
		return w, r
	}
	f, mem, err := newShared(size)
	if err != nil {
		t.Fatal(err)
	}
	again, err := mapShared(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unmapShared(mem); unmapShared(again); f.Close() })
	back := func(from, n int) error { return backShared(f, from, n) }
	a, _ := areas(mem, back)
	b, _ := areas(again, back)
	w.Share(a)
	r.Share(b)
	return w, r
}

// Frames come out as they went in, whether they fit into the area, whether their reader is slow to be done with them, and
// where the pipe cuts them.
func TestSharedFrames(t *testing.T) {
	if !CanShare {
		t.Skip("no memory is shared in this build")
	}
	rapid.Check(t, func(rt *rapid.T) {
		w, r := shareBetween(t, rapid.SampledFrom([]int{4096, 5 * 4096, 1 << 20}).Draw(rt, "room"))
		w.area.least = rapid.IntRange(0, 2*4096).Draw(rt, "least")
		var pipe bytes.Buffer // it is never full, so that one goroutine will do
		w.w, r.r = &pipe, &pipe
		type frame struct {
			kind    byte
			content []byte
		}
		var sent []frame
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				n := rapid.OneOf(rapid.IntRange(0, 50), rapid.IntRange(largeFrame-20, 2*largeFrame)).Draw(rt, "size")
				f := frame{rapid.Byte().Draw(rt, "kind"), bytes.Repeat([]byte{rapid.Byte().Draw(rt, "fill")}, n)}
				cut := rapid.IntRange(0, n).Draw(rt, "cut")
				if err := w.Write(f.kind, f.content[:cut], f.content[cut:]); err != nil {
					rt.Fatal(err)
				}
				sent = append(sent, f)
			},
			"add": func(rt *rapid.T) {
				f := frame{rapid.Byte().Draw(rt, "kind"), rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(rt, "content")}
				if err := w.Add(f.kind, f.content[:1], f.content[1:]); err != nil {
					rt.Fatal(err)
				}
				if err := w.Flush(); err != nil {
					rt.Fatal(err)
				}
				sent = append(sent, f)
			},
			"read": func(rt *rapid.T) {
				if len(sent) == 0 {
					rt.Skip("there is nothing")
				}
				kind, content, err := r.Read()
				if f := sent[0]; err != nil || kind != f.kind || !bytes.Equal(content, f.content) {
					rt.Fatalf("%q, %d bytes, %v; want %q, %d bytes", kind, len(content), err, f.kind, len(f.content))
				}
				sent = sent[1:]
				if rapid.Bool().Draw(rt, "release") {
					r.Release()
				}
			},
		})
	})
}

// The area is used when it pays, as long as there is room, and again when the reader is done.
func TestAreaIsUsed(t *testing.T) {
	if !CanShare {
		t.Skip("no memory is shared in this build")
	}
	w, r := shareBetween(t, 4*largeFrame)
	var pipe bytes.Buffer
	w.w, r.r = &pipe, &pipe
	content := bytes.Repeat([]byte("jobgen"), 2*largeFrame/6)
	write := func() (inPipe bool) {
		t.Helper()
		before := pipe.Len()
		if err := w.Write('x', content); err != nil {
			t.Fatal(err)
		}
		return pipe.Len()-before > largeFrame
	}
	read := func() {
		t.Helper()
		if _, got, err := r.Read(); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	for i, want := range []bool{true, false, true, false, true} {
		// First there is no memory, then room for one, for another when that has been missed, and no more.
		if got := write(); got != want {
			t.Errorf("frame %d went through the pipe: %v", i, got)
		}
	}
	for range 5 {
		read()
	}
	if write() {
		t.Error("what the last frame but one has left is not used") // the last one has come through the pipe
	}
	read()
	r.Release()
	for i, want := range []bool{false, false, true} {
		if got := write(); got != want {
			t.Errorf("when the room was free, frame %d went through the pipe: %v", i, got)
		}
	}
}

// An area that the system has no memory for is as good as none.
func TestAreaWithoutMemory(t *testing.T) {
	if !CanShare {
		t.Skip("no memory is shared in this build")
	}
	w, r := shareBetween(t, 1<<20)
	var pipe bytes.Buffer
	w.w, r.r = &pipe, &pipe
	w.area.back = func(int) error { return errors.New("no memory") }
	content := make([]byte, 2*largeFrame)
	for range 4 {
		if err := w.Write('x', content); err != nil {
			t.Fatal(err)
		}
		if _, got, err := r.Read(); err != nil || len(got) != len(content) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if w.area.placed > 0 {
		t.Error("a frame lies where there is no memory")
	}
}

// Whatever a place says, what is read lies in the area.
func FuzzPlace(f *testing.F) {
	f.Add(appendPlace(nil, 0, 0))
	f.Add(appendPlace(nil, 4096, 4096))
	f.Add(appendPlace(nil, 1<<15, 1<<15))
	f.Add(appendPlace(nil, -1, 2))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, place []byte) {
		a := &Area{room: make([]byte, 1<<16), done: new(atomic.Int64), written: new(atomic.Int64)}
		got, err := a.find(place)
		if err == nil && (len(got) > len(a.room) || cap(got) != len(got)) {
			t.Fatalf("%d bytes with room for %d", len(got), cap(got))
		}
		if _, err := (*Area)(nil).find(place); err == nil {
			t.Fatal("a frame was found in no area")
		}
		// The same in a stream.
		stream := binary.LittleEndian.AppendUint64([]byte{'x'}, checked('x', inArea|uint64(len(place))))
		r := NewReader(bytes.NewReader(append(stream, place...)))
		r.Share(a)
		if _, content, streamErr := r.Read(); (streamErr == nil) != (err == nil) || !bytes.Equal(content, got) {
			t.Fatalf("%d bytes, %v; in a stream %d, %v", len(got), err, len(content), streamErr)
		}
	})
}

// A file that could be cut off is not mapped, nor one that is too short.
func TestMapShared(t *testing.T) {
	if !CanShare {
		t.Skip("no memory is shared in this build")
	}
	open, err := unix.MemfdCreate("open", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(open), "open")
	defer f.Close()
	if err := f.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	if _, err := mapShared(f); err == nil {
		t.Error("a file that can shrink was mapped")
	}
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer other.Close()
	if _, err := mapShared(pipe); err == nil {
		t.Error("a pipe was mapped")
	}
}

// BenchmarkLarge shows from which size on a frame is better off in an area. The reader copies, as a decoder does.
func BenchmarkLarge(b *testing.B) {
	if !CanShare {
		b.Skip("no memory is shared in this build")
	}
	for _, size := range []int{16 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20} {
		for _, way := range []struct {
			name  string
			least int
			cold  bool
		}{{"pipe", math.MaxInt, false}, {"area", 0, false}, {"cold", 0, true}} {
			b.Run(fmt.Sprintf("%dKiB-%s", size>>10, way.name), func(b *testing.B) {
				content, copied := make([]byte, size), make([]byte, size)
				b.SetBytes(int64(size))
				var w *Writer
				var r *Reader
				for b.Loop() {
					if w == nil || way.cold {
						b.StopTimer()
						w, r = shareBetween(b, 64<<20)
						w.area.least, w.area.missed = way.least, math.MaxInt
						b.StartTimer()
					}
					sent := make(chan error, 1)
					go func() { sent <- w.Write('x', content) }()
					_, got, err := r.Read()
					if err != nil {
						b.Fatal(err)
					}
					copy(copied, got)
					r.Release()
					if err := <-sent; err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
