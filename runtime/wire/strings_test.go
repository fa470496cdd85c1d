package wire

import (
	"slices"
	"strings"
	"testing"
)

// Short strings that are some of many share memory, and are the same strings all the same.
func TestStringsOfMany(t *testing.T) {
	var in []string
	for n := range 40 {
		in = append(in, strings.Repeat("x", n%20), "", strings.Repeat("é", n))
	}
	for _, want := range [][]string{nil, {}, {""}, {"a"}, {"a", "b"}, {strings.Repeat("s", shortString), strings.Repeat("l", shortString+1), "s"}, in} {
		msg := AppendSlice(nil, &want, AppendString)
		var got []string
		d := Decode(msg)
		readStrings(&d, &got)
		if err := d.End(); err != nil || !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%q became %q, %v", want, got, err)
		}
		clear(msg)
		if !slices.Equal(got, want) {
			t.Errorf("%q are the message's own memory", want)
		}
		for cut := range len(msg) {
			d := Decode(AppendSlice(nil, &want, AppendString)[:cut])
			readStrings(&d, &got)
			if d.End() == nil && cut > 0 {
				t.Errorf("%d bytes of %q are enough", cut, want)
			}
		}
	}
	// A hundred strings of 7 bytes, which stand 8 bytes apart, are 13 blocks; and there is the slice.
	in = slices.Repeat([]string{"string!"}, 100)
	msg := AppendSlice(nil, &in, AppendString)
	if n := testing.AllocsPerRun(10, func() {
		var got []string
		d := Decode(msg)
		readStrings(&d, &got)
	}); n > 14 {
		t.Errorf("%v allocations", n)
	}
	// One that is alone does not pay for others.
	one := []string{"one"}
	msg = append(AppendSlice(nil, &one, AppendString), make([]byte, 100)...)
	d := Decode(msg)
	readStrings(&d, &one)
	if d.shared != "" {
		t.Error("a string that is alone has memory to share")
	}
}

// The note of the benchmarks takes an allocation for its numbers, two for its map, and one for all strings.
func TestDecodingAllocations(t *testing.T) {
	msg, err := encodeSample(nil, samples()["n=8"])
	if err != nil {
		t.Fatal(err)
	}
	var kept sample
	if n := testing.AllocsPerRun(100, func() { kept, _, _ = decodeSample(msg) }); n > 4 {
		t.Errorf("%v allocations for %v", n, kept)
	}
}
