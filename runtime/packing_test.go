package jobgen

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What became of jobs comes out as it went in.
func TestPacking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var to, from packing
		first := rapid.IntRange(0, 1<<30).Draw(t, "first")
		to.begin(first)
		from.begin(first)
		timed := rapid.Bool()
		nanos := rapid.Int64Range(0, 1<<61)
		index := first
		var sent []Done
		var b []byte
		for range rapid.IntRange(0, 20).Draw(t, "jobs") {
			index += rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 1<<20)).Draw(t, "left out")
			d := Done{Index: index, Count: 1, Result: rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "result")}
			if rapid.IntRange(0, 4).Draw(t, "several") == 0 {
				d.Count = rapid.IntRange(2, 1<<20).Draw(t, "count")
			}
			index += d.Count
			if d.Count == 1 && timed.Draw(t, "timed") {
				d.Start = time.Unix(0, nanos.Draw(t, "start"))
				d.Elapsed = time.Duration(nanos.Draw(t, "elapsed"))
			}
			if d.Count == 1 && rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
				d.Result, d.Err = nil, io.ErrUnexpectedEOF
			}
			var content []byte
			b, content = to.pack(b, &d)
			b = append(b, content...)
			sent = append(sent, d)
		}
		got := Done{Worker: "w"}
		var err error
		for _, want := range sent {
			if b, err = from.unpack(b, &got); err != nil {
				t.Fatal(err)
			}
			if got.Index != want.Index || got.Count != want.Count || !bytes.Equal(got.Result, want.Result) || !errors.Is(got.Err, want.Err) || (got.Err == nil) != (want.Err == nil) ||
				!got.Start.Equal(want.Start) || got.Elapsed != want.Elapsed || got.Worker != "w" {
				t.Fatalf("%+v, want %+v", got, want)
			}
		}
		if len(b) > 0 {
			t.Fatalf("%d bytes are left over", len(b))
		}
	})
}

// Quick jobs with small results cost two bytes each.
func TestPackingIsSmall(t *testing.T) {
	var p packing
	p.begin(1_000_000)
	for i := range 100 {
		d := Done{Index: 1_000_000 + i, Result: make([]byte, 8)}
		if head, _ := p.pack(nil, &d); len(head) != 2 {
			t.Fatalf("the head of job %d has %d bytes", i, len(head))
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var p packing
	p.begin(3)
	var b []byte
	for _, d := range []Done{
		{Index: 3, Result: []byte("result")},
		{Index: 5, Err: io.EOF},
		{Index: 6, Start: time.Unix(0, 1<<60), Elapsed: time.Second},
		{Index: 7, Count: 3, Result: []byte("results")},
	} {
		var content []byte
		b, content = p.pack(b, &d)
		b = append(b, content...)
	}
	f.Add(b)
	f.Add([]byte{0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Add([]byte{2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p packing
		p.begin(3)
		last := 2
		for len(b) > 0 {
			var d Done
			rest, err := p.unpack(b, &d)
			if err != nil {
				return
			}
			if len(rest) >= len(b) || len(d.Result) > len(b) || d.Index <= last || d.Count < 1 {
				t.Fatalf("of %d bytes %d are left, after job %d with %d bytes", len(b), len(rest), d.Index, len(d.Result))
			}
			b, last = rest, d.Index+d.Count-1
		}
	})
}
