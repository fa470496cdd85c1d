package jobgen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// received is what has come out of an outbox, as its parent reads it.
type received struct {
	t       *rapid.T
	packing packing
	jobs    map[int]string
}

func (r *received) take(frames []byte) {
	in := proc.NewReader(bytes.NewReader(frames))
	for {
		kind, content, err := in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || kind != frameDone {
			r.t.Fatalf("a frame %q, %v", kind, err)
		}
		for len(content) > 0 {
			var d Done
			if content, err = r.packing.unpack(content, &d); err != nil {
				r.t.Fatal(err)
			}
			rest := d.Result
			for i := range d.Count {
				if _, twice := r.jobs[d.Index+i]; twice {
					r.t.Fatalf("job %d comes twice", d.Index+i)
				}
				if d.Err != nil {
					r.jobs[d.Index+i] = d.Err.Error()
					continue
				}
				size, n := binary.Uvarint(rest)
				r.jobs[d.Index+i], rest = string(rest[n:n+int(size)]), rest[n+int(size):]
			}
			if len(rest) > 0 {
				r.t.Fatalf("%d bytes are left of %d results", len(rest), d.Count)
			}
		}
	}
}

// Whatever the results and whenever they are sent, they come out once, and as they went in.
func TestOutbox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pipe bytes.Buffer
		o := newOutbox(proc.NewWriter(&pipe))
		o.together = rapid.Bool().Draw(t, "together")
		for range rapid.IntRange(1, 3).Draw(t, "chunks") {
			first := rapid.IntRange(0, 1<<20).Draw(t, "first")
			jobs := rapid.IntRange(1, 300).Draw(t, "jobs")
			o.begin(Chunk{First: first, Count: jobs})
			got, want := &received{t: t, jobs: map[int]string{}}, map[int]string{}
			got.packing.begin(first)
			sizes := rapid.SampledFrom([][2]int{{0, 3}, {0, 300}, {smallResult - 20, smallResult + 20}, {0, 70_000}}).Draw(t, "sizes")
			for i := range jobs {
				d := Done{Index: first + i}
				text := bytes.Repeat([]byte{byte(i)}, rapid.IntRange(sizes[0], sizes[1]).Draw(t, "size"))
				switch rapid.IntRange(0, 40).Draw(t, "kind") {
				case 0: // left out, as a job that was not run
					continue
				case 1:
					d.Err, want[d.Index] = io.ErrUnexpectedEOF, io.ErrUnexpectedEOF.Error()
				default:
					d.Result, want[d.Index] = append(binary.AppendUvarint(nil, uint64(len(text))), text...), string(text)
				}
				if err := o.add(&d); err != nil {
					t.Fatal(err)
				}
				if rapid.IntRange(0, 20).Draw(t, "send") == 0 {
					if err := o.send(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := errors.Join(o.end(), o.w.Flush()); err != nil {
				t.Fatal(err)
			}
			got.take(pipe.Bytes())
			pipe.Reset()
			if len(got.jobs) != len(want) {
				t.Fatalf("%d jobs, want %d", len(got.jobs), len(want))
			}
			for i, text := range want {
				if got.jobs[i] != text {
					t.Fatalf("job %d is %.40q, want %.40q", i, got.jobs[i], text)
				}
			}
		}
	})
}

// What one goroutine adds another may take at any time, whole and once.
func TestGathered(t *testing.T) {
	var g gathered
	var mu sync.Mutex // the outbox's
	var taken []byte
	next := 0
	take := func() {
		mu.Lock()
		defer mu.Unlock()
		d := g.take()
		if d.Count > 0 && d.Index != next || len(d.Result) != 2*d.Count {
			t.Errorf("%d results from %d on with %d bytes, want them from %d on with 2 each", d.Count, d.Index, len(d.Result), next)
		}
		next += d.Count
		taken = append(taken, d.Result...)
	}
	const jobs = 200_000
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				take()
			}
		}
	})
	var want []byte
	for i := range jobs {
		d := Done{Index: i, Result: []byte{byte(i), byte(i >> 8)}}
		want = append(want, d.Result...)
		if !g.add(&d) {
			take()
			mu.Lock()
			g.reset()
			mu.Unlock()
			g.add(&d)
		}
	}
	close(over)
	wg.Wait()
	take()
	if !bytes.Equal(taken, want) {
		t.Errorf("%d bytes came out, which are not the %d that went in", len(taken), len(want))
	}
}
