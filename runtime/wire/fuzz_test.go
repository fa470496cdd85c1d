package wire

import (
	"bytes"
	"math"
	"runtime"
	"testing"
	"time"
)

// record is made of everything that the kernel has, as generated code would do it.
type record struct {
	Flag    bool
	Small   int8
	N       int
	M       uint32
	F       float32
	Z       complex128
	Name    string
	When    time.Time
	Samples []float64
	Words   []int
	Bits    []bool
	Grid    [][2]float32
	Names   []string
	Nested  []record2
	Index   map[string][]string
	Set     map[float64]struct{}
	Next    *record2
	Nothing []struct{}
}

type record2 struct {
	ID   int16
	Tags []string
}

func appendRecord(b []byte, v *record) []byte {
	b = AppendBool(b, &v.Flag)
	b = AppendByte(b, &v.Small)
	b = AppendInt(b, &v.N)
	b = AppendUint(b, &v.M)
	b = AppendFloat32(b, &v.F)
	b = AppendComplex128(b, &v.Z)
	b = AppendString(b, &v.Name)
	b = AppendWith(b, v.When.AppendBinary)
	b = AppendNumbers[float64](b, &v.Samples)
	b = AppendNumbers[int](b, &v.Words)
	b = AppendNumbers[bool](b, &v.Bits)
	b = AppendNumbers[float32](b, &v.Grid)
	b = AppendSlice(b, &v.Names, AppendString)
	b = AppendSlice(b, &v.Nested, appendRecord2)
	b = AppendMapLen(b, &v.Index)
	for k, e := range v.Index {
		b = AppendString(b, &k)
		b = AppendSlice(b, &e, AppendString)
	}
	b = AppendMapLen(b, &v.Set)
	for k := range v.Set {
		b = AppendFloat64(b, &k)
	}
	b = AppendPointer(b, &v.Next, appendRecord2)
	return AppendEmpties(b, &v.Nothing)
}

func readRecord(d *Decoder, v *record) {
	ReadBool(d, &v.Flag)
	ReadByte(d, &v.Small)
	ReadInt(d, &v.N)
	ReadUint(d, &v.M)
	ReadFloat32(d, &v.F)
	ReadComplex128(d, &v.Z)
	ReadString(d, &v.Name)
	if raw := ReadRaw(d); raw != nil {
		Check(d, raw, v.When.UnmarshalBinary(raw))
	}
	ReadNumbers[float64](d, &v.Samples)
	ReadNumbers[int](d, &v.Words)
	ReadNumbers[bool](d, &v.Bits)
	ReadNumbers[float32](d, &v.Grid)
	readStrings(d, &v.Names)
	ReadSlice(d, &v.Nested, readRecord2)
	n := ReadMapLen(d, &v.Index)
	for i := 0; More(d, i, n); i++ {
		var key string
		var value []string
		ReadStringOfMany(d, &key)
		readStrings(d, &value)
		v.Index[key] = value
	}
	EndMap(d, &v.Index, n)
	ReadMap(d, &v.Set, ReadFloat64, ReadNothing) // as older generated code does it
	if ReadNew(d, &v.Next) {
		readRecord2(d, v.Next)
	}
	ReadEmpties(d, &v.Nothing)
}

func appendRecord2(b []byte, v *record2) []byte {
	return AppendSlice(AppendInt(b, &v.ID), &v.Tags, AppendString)
}

func readRecord2(d *Decoder, v *record2) {
	ReadInt(d, &v.ID)
	readStrings(d, &v.Tags)
}

func readStrings(d *Decoder, p *[]string) {
	n := ReadSliceLen(d, p)
	for i := 0; Room(d, p, i, n); i++ {
		ReadStringOfMany(d, &(*p)[i])
	}
}

func example() record {
	return record{
		Flag: true, Small: -1, N: -300, M: 1 << 31, F: 1.5, Z: 1i, Name: "name", When: time.Unix(1, 2).UTC(),
		Samples: []float64{1, 2, 3}, Words: []int{-1, math.MaxInt}, Bits: []bool{true, false}, Grid: [][2]float32{{1, 2}},
		Names: []string{"", "a"}, Nested: []record2{{1, []string{"x"}}, {}}, Index: map[string][]string{"k": {"v", ""}, "": nil},
		Set: map[float64]struct{}{1: {}}, Next: &record2{ID: 3}, Nothing: make([]struct{}, 3),
	}
}

// ceiling is how much a message may make the decoder of record allocate: the largest element is a record2 of
// 32 bytes, which takes 2 in a message; entries of maps take about twice their size.
func ceiling(message int) uint64 { return 64*uint64(message) + 64<<10 }

// FuzzDecode gives any bytes to the decoder. What it takes for a record is one: encoded and decoded again it
// gives the same bytes.
func FuzzDecode(f *testing.F) {
	v := example()
	b := appendRecord(nil, &v)
	f.Add(b)
	f.Add(appendRecord(nil, &record{}))
	for i := 0; i < len(b); i += 7 {
		c := bytes.Clone(b)
		c[i] ^= 0x81
		f.Add(c)
		f.Add(b[:i])
	}
	f.Add(append(bytes.Repeat([]byte{0}, 20), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, msg []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got record
		d := Decode(msg)
		readRecord(&d, &got)
		rest, err := d.Rest()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > ceiling(len(msg)) {
			t.Errorf("%d bytes made the decoder allocate %d", len(msg), n)
		}
		if err != nil {
			return
		}
		if len(got.Index) > 1 || len(got.Set) > 1 {
			return // in no order
		}
		// Varints can be written longer than they have to be, so it is the second encoding that counts.
		first := appendRecord(nil, &got)
		if len(first) > len(msg)-len(rest) {
			t.Errorf("%d bytes became %d", len(msg)-len(rest), len(first))
		}
		var again record
		d = Decode(first)
		readRecord(&d, &again)
		if err := d.End(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, appendRecord(nil, &again)) {
			t.Errorf("%x is not what it was", first)
		}
	})
}
