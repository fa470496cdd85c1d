package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

type (
	level  int8
	count  int32
	word   uint
	ratio  float32
	wave   complex128
	title  string
	point  [3]float64
	pair   struct{ a, b int16 }
	raster []point
)

// trip encodes a value behind some other bytes, decodes it into a value that was set before, and
// compares.
func trip[T any](t *testing.T, appendT func([]byte, *T) []byte, read func(*Decoder, *T), values ...T) {
	t.Helper()
	for _, v := range values {
		b := appendT([]byte("before"), &v)
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Errorf("%v: what was there is gone", v)
		}
		b = b[len("before"):]
		got := values[0]
		d := Decode(b)
		read(&d, &got)
		if err := d.End(); err != nil || !same(got, v) {
			t.Errorf("%T: %v became %v, %v", v, v, got, err)
		}
		// A message that is cut short is an error and never a panic.
		for n := range b {
			d := Decode(b[:n:n])
			read(&d, &got)
			if d.End() == nil {
				t.Errorf("%T: %v without its last %d bytes is no error", v, v, len(b)-n)
			}
		}
		d = Decode(append(b, 0))
		read(&d, &got)
		if d.End() == nil {
			t.Errorf("%T: a byte that is left over is no error", v)
		}
	}
}

// same is reflect.DeepEqual, but a NaN is equal to itself.
func same(a, b any) bool {
	x, ok := a.(float64)
	y, _ := b.(float64)
	return reflect.DeepEqual(a, b) || ok && math.Float64bits(x) == math.Float64bits(y)
}

func TestScalars(t *testing.T) {
	nan := math.NaN()
	trip(t, AppendBool, ReadBool, true, false)
	trip(t, AppendByte, ReadByte, level(-128), 127, 0)
	trip(t, AppendByte, ReadByte, byte(255), 1)
	trip(t, AppendInt, ReadInt, int(7), 0, -1, math.MaxInt, math.MinInt, 63, 64, -64, -65)
	trip(t, AppendInt, ReadInt, count(7), math.MaxInt32, math.MinInt32)
	trip(t, AppendInt, ReadInt, int16(7), math.MaxInt16, math.MinInt16)
	trip(t, AppendUint, ReadUint, uint64(7), 0, 127, 128, math.MaxUint64)
	trip(t, AppendUint, ReadUint, word(7), math.MaxUint)
	trip(t, AppendUint, ReadUint, uintptr(7))
	trip(t, AppendFloat32, ReadFloat32, ratio(1.5), ratio(math.Inf(-1)))
	trip(t, AppendFloat64, ReadFloat64, 1.5, math.Inf(1), math.Copysign(0, -1), nan, math.SmallestNonzeroFloat64)
	trip(t, AppendComplex64, ReadComplex64, complex64(1+2i))
	trip(t, AppendComplex128, ReadComplex128, wave(1+2i))
	trip(t, AppendString, ReadString, title("x"), "", title(strings.Repeat("ä", 200)))
}

func TestComposites(t *testing.T) {
	trip(t, AppendNumbers[float64], ReadNumbers[float64], []float64{1}, nil, []float64{}, []float64{1, -2, math.Inf(1)})
	trip(t, AppendNumbers[float64], ReadNumbers[float64], raster{{1, 2, 3}}, nil, raster{}, raster{{1}, {0, 2}})
	trip(t, AppendNumbers[int16], ReadNumbers[int16], []pair{{1, -2}}, []pair{{3, 4}, {5, 6}, {-7, 8}})
	trip(t, AppendNumbers[bool], ReadNumbers[bool], []bool{true}, nil, []bool{}, []bool{false, true})
	trip(t, AppendNumbers[uint8], ReadNumbers[uint8], []byte("x"), nil, []byte{}, make([]byte, 1000))
	trip(t, AppendNumbers[int], ReadNumbers[int], []int{1}, []int{math.MinInt, math.MaxInt, 0})
	trip(t, AppendNumbers[complex128], ReadNumbers[complex128], []wave{1i})
	trip(t, AppendNumbers[complex64], ReadNumbers[complex64], []complex64{1i})
	trip(t, AppendFixed[float64], ReadFixed[float64], point{1, 2, 3})
	trip(t, AppendFixed[bool], ReadFixed[bool], [2][2]bool{{true}})
	trip(t, appendTitles, readTitles, []title{"a"}, nil, []title{}, make([]title, 300), []title{"", "b"})
	trip(t, AppendEmpties, ReadEmpties, []struct{}{{}}, nil, []struct{}{}, make([]struct{}, 1000))
	trip(t, appendMap, readMap, map[string]int{"a": 1}, nil, map[string]int{}, map[string]int{"a": 1, "": -1, "c": 3})
	trip(t, appendPointer, readPointer, new(int), nil)
}

func appendTitles(b []byte, p *[]title) []byte { return AppendSlice(b, p, AppendString) }
func readTitles(d *Decoder, p *[]title)        { ReadSlice(d, p, ReadString) }

func appendMap(b []byte, p *map[string]int) []byte {
	b = AppendMapLen(b, p)
	for k, v := range *p {
		b = AppendString(b, &k)
		b = AppendInt(b, &v)
	}
	return b
}

func readMap(d *Decoder, p *map[string]int) {
	n := ReadMapLen(d, p)
	for range n {
		var k string
		var v int
		ReadStringOfMany(d, &k)
		ReadInt(d, &v)
		(*p)[k] = v
	}
	EndMap(d, p, n)
}

func appendPointer(b []byte, p **int) []byte { return AppendPointer(b, p, AppendInt) }
func readPointer(d *Decoder, p **int)        { ReadPointer(d, p, ReadInt) }

// NaN keys are all different, and all arrive.
func TestNaNKeys(t *testing.T) {
	m := map[float64]struct{}{math.NaN(): {}, 1: {}}
	m[math.NaN()] = struct{}{}
	b := AppendMapLen(nil, &m)
	for k := range m {
		b = AppendFloat64(b, &k)
	}
	var got map[float64]struct{}
	d := Decode(b)
	ReadMap(&d, &got, ReadFloat64, ReadNothing)
	if err := d.End(); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

// What is decoded is the decoder's own: the message's memory is used again.
func TestNoAliases(t *testing.T) {
	in := []byte("text")
	b := AppendNumbers[uint8](nil, &in)
	s := "text"
	b = AppendString(b, &s)
	d := Decode(b)
	var out []byte
	var text string
	ReadNumbers[uint8](&d, &out)
	ReadString(&d, &text)
	clear(b)
	if string(out) != "text" || text != "text" {
		t.Errorf("%q, %q", out, text)
	}
	if got := append(out, '!'); string(out[:4]) != "text" || string(got) != "text!" {
		t.Error("append")
	}
}

func TestMethods(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	b := AppendWith(nil, now.AppendBinary)
	var got time.Time
	d := Decode(b)
	ReadWith(&d, got.UnmarshalBinary)
	if err := d.End(); err != nil || !got.Equal(now) {
		t.Errorf("%v, %v", got, err)
	}
	// The length of what a method appends is known only afterwards.
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 1 << 20} {
		text := bytes.Repeat([]byte("x"), n)
		b := AppendWith([]byte("before"), func(b []byte) ([]byte, error) { return append(b, text...), nil })
		if string(b) != string(appendText([]byte("before"), text)) {
			t.Errorf("%d bytes are appended wrongly", n)
		}
		d := Decode(b[6:])
		ReadRestWith(&d, func(raw []byte) ([]byte, error) {
			if !bytes.Equal(raw, text) {
				t.Errorf("%d bytes became %d", n, len(raw))
			}
			return nil, nil
		})
		if err := d.End(); err != nil {
			t.Error(err)
		}
	}
	d = Decode([]byte{2, 'a', 'b'})
	ReadRestWith(&d, func(raw []byte) ([]byte, error) { return raw[1:], nil })
	if err := d.End(); err == nil || !strings.Contains(err.Error(), "left 1 of its 2 bytes") {
		t.Error(err)
	}
	d = Decode([]byte{2, 'a', 'b'})
	ReadWith(&d, func([]byte) error { return io.ErrNoProgress })
	if err := d.End(); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	// After an error no method of the user's is called.
	ReadWith(&d, func([]byte) error { t.Error("called"); return nil })
}

func appendText(b, text []byte) []byte {
	return AppendFrom(b, func() ([]byte, error) { return text, nil })
}

func TestCatch(t *testing.T) {
	encode := func(method func([]byte) ([]byte, error)) (_ []byte, err error) {
		defer Catch(&err)
		return AppendWith(nil, method), nil
	}
	if _, err := encode(func([]byte) ([]byte, error) { return nil, io.ErrShortWrite }); err != io.ErrShortWrite {
		t.Error(err)
	}
	if _, err := encode(func([]byte) ([]byte, error) { return nil, nil }); err == nil {
		t.Error("a method that drops what it was given is no error")
	}
	if b, err := encode(func(b []byte) ([]byte, error) { return append(b, 7), nil }); err != nil || len(b) != 2 {
		t.Error(b, err)
	}
	func() {
		defer func() {
			if v := recover(); v != "mine" {
				t.Errorf("a panic of the user's became %v", v)
			}
		}()
		_, _ = encode(func([]byte) ([]byte, error) { panic("mine") })
	}()
	many := make([]struct{}, MaxEmpties+1)
	err := func() (err error) { defer Catch(&err); AppendEmpties(nil, &many); return nil }()
	if err == nil || !strings.Contains(err.Error(), "without content") {
		t.Error(err)
	}
}

func TestHostile(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}
	for _, tt := range []struct {
		name string
		msg  []byte
		read func(*Decoder)
		want string
	}{
		{"int8", []byte{}, func(d *Decoder) { ReadByte(d, new(int8)) }, "at byte 0 of 0: a number of 8 bits is cut short"},
		{"int16", []byte{0x80, 0x80, 0x04}, func(d *Decoder) { ReadInt(d, new(int16)) }, "the integer 32768 does not fit in 16 bits"},
		{"int32", huge, func(d *Decoder) { ReadInt(d, new(int32)) }, "does not fit in 32 bits"},
		{"uint16", huge, func(d *Decoder) { ReadUint(d, new(uint16)) }, "the integer 18446744073709551615 does not fit in 16 bits"},
		{"uvarint", append(slices.Clone(huge[:9]), 0x7f), func(d *Decoder) { ReadUint(d, new(uint64)) }, "does not fit in 64 bits"},
		{"bool", []byte{2}, func(d *Decoder) { ReadBool(d, new(bool)) }, "a bool has the byte 2"},
		{"bools", []byte{4, 0, 1, 255}, func(d *Decoder) { ReadNumbers[bool](d, new([]bool)) }, "at byte 3 of 4: a bool has the byte 255"},
		{"string", huge, func(d *Decoder) { ReadString(d, new(string)) }, "a string has 18446744073709551615 bytes, of which 0 are left"},
		{"floats", huge, func(d *Decoder) { ReadNumbers[float64](d, new([]float64)) }, "for which 0 bytes are left"},
		{"strings", huge, func(d *Decoder) { readTitles(d, new([]title)) }, "for which 0 bytes are left"},
		{"map", huge, func(d *Decoder) { readMap(d, new(map[string]int)) }, "for which 0 bytes are left"},
		{"same key", []byte{3, 1, 'a', 2, 1, 'a', 2}, func(d *Decoder) { readMap(d, new(map[string]int)) }, "a key twice"},
		{"pointer", []byte{7}, func(d *Decoder) { readPointer(d, new(*int)) }, "a pointer has the byte 7"},
		{"empties", huge, func(d *Decoder) { ReadEmpties(d, new([]struct{})) }, "without content; up to 1048576 can travel"},
		{"blank", []byte{200, 1}, func(d *Decoder) { ReadEmpties(d, new([]struct{ _ [1 << 20]byte })) }, "would take 1048576 bytes each"},
		{"no keys", []byte{3}, func(d *Decoder) {
			ReadMap(d, new(map[struct{}]struct{}), ReadNothing, ReadNothing)
		}, "a map has 2 entries"},
		{"place", []byte{1}, func(d *Decoder) { ReadPlace(d, new(error)) }, "at byte 0 of 1: a place has the byte 1, not 0"},
		{"places", huge, func(d *Decoder) { ReadSlice(d, new([]error), ReadPlace) }, "for which 0 bytes are left"},
		{"rest", []byte{1, 2}, func(d *Decoder) { ReadBool(d, new(bool)) }, "1 bytes are left over"},
	} {
		d := Decode(tt.msg)
		tt.read(&d)
		err := d.End()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Blocks on machines of another byte order or word size: the same code with other lanes.
func TestPortableLanes(t *testing.T) {
	in := []uint16{0x0102, 0xfffe}
	want := AppendNumbers[uint16](nil, &in)[1:]
	portable := laneOf[uint16]()
	portable.plain = false
	got := portable.append(nil, bytesOf(in))
	if !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
	out := make([]uint16, 2)
	d := Decode(nil)
	portable.read(&d, bytesOf(out), got)
	if d.err != nil || !slices.Equal(in, out) {
		t.Errorf("%x, %v", out, d.err)
	}

	// A word of 32 bits takes eight bytes, and one that does not fit is an error.
	for _, l := range []lane{{memory: 4, wire: 8, signed: true}, {memory: 4, wire: 8}} {
		in := []int32{5, math.MaxInt32}
		if l.signed {
			in = append(in, -5)
		}
		b := l.append(nil, bytesOf(in))
		if len(b) != 8*len(in) {
			t.Fatalf("%d bytes", len(b))
		}
		out := make([]int32, len(in))
		d := Decode(b)
		l.read(&d, bytesOf(out), b)
		if d.err != nil || !slices.Equal(in, out) {
			t.Errorf("%v, %v", out, d.err)
		}
		b[6] = 1
		d = Decode(b)
		d.fixed("", len(b))
		if l.read(&d, bytesOf(out), b); d.err == nil || !strings.Contains(d.err.Error(), "does not fit in 32 bits") {
			t.Errorf("an integer that does not fit: %v", d.err)
		}
	}
}

func TestOnlyExported(t *testing.T) {
	type state struct{ n int }
	type worker struct {
		A int
		_ int
		state
		scratch []float64
	}
	w := worker{A: 1}
	if err := OnlyExported(&w); err != nil {
		t.Error(err)
	}
	w.scratch = []float64{}
	if err := OnlyExported(&w); err == nil || !strings.Contains(err.Error(), "field scratch is set") {
		t.Error(err)
	}
	w.n = 1
	if err := OnlyExported(&w); err == nil || !strings.Contains(err.Error(), "field state is set") {
		t.Error(err)
	}
}

// TestMapsStopAtAnError checks that of a map's entries none is read after one that cannot be.
func TestMapsStopAtAnError(t *testing.T) {
	entries := map[bool]bool{}
	d := Decode(append([]byte{101, 0, 2}, make([]byte, 200)...))
	read, n := 0, ReadMapLen(&d, &entries)
	for ; More(&d, read, n); read++ {
		var k, v bool
		ReadBool(&d, &k)
		ReadBool(&d, &v)
	}
	EndMap(&d, &entries, n)
	if n != 100 || read != 1 {
		t.Errorf("%d entries of %d were read", read, n)
	}
	contains := "at byte 2 of 203: a bool has the byte 2"
	if err := d.End(); err == nil || !strings.Contains(err.Error(), contains) {
		t.Errorf("the error is %v, want %q", err, contains)
	}
}

// TestReadAfterError checks that what is read after an error costs no memory: the fields of a struct and the elements of an
// array are, and so are maps' entries by older generated code.
func TestReadAfterError(t *testing.T) {
	d := Decode([]byte{2})
	var flag bool
	ReadBool(&d, &flag)
	_, first := d.Rest()
	if first == nil {
		t.Fatal("a bool of 2 is no error")
	}
	var v record
	if n := testing.AllocsPerRun(100, func() { readRecord(&d, &v) }); n > 0 {
		t.Errorf("a record that is read after an error takes %v allocations", n)
	}
	if _, err := d.Rest(); err != first {
		t.Errorf("the first error was %v, and now it is %v", first, err)
	}
}
