package wire

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// sample is the struct that the design's notes compare codecs with.
type sample struct {
	Data   []float64
	Name   string
	When   time.Time
	Counts map[string]int
	Where  place
}

type place struct {
	X, Y float64
	Tag  string
}

func appendSample(b []byte, v *sample) []byte {
	b = AppendNumbers[float64](b, &v.Data)
	b = AppendString(b, &v.Name)
	b = AppendWith(b, v.When.AppendBinary)
	b = appendMap(b, &v.Counts)
	b = AppendFloat64(b, &v.Where.X)
	b = AppendFloat64(b, &v.Where.Y)
	return AppendString(b, &v.Where.Tag)
}

func readSample(d *Decoder, v *sample) {
	ReadNumbers[float64](d, &v.Data)
	ReadStringOfMany(d, &v.Name)
	if raw := ReadRaw(d); raw != nil {
		Check(d, raw, v.When.UnmarshalBinary(raw))
	}
	readMap(d, &v.Counts)
	ReadFloat64(d, &v.Where.X)
	ReadFloat64(d, &v.Where.Y)
	ReadStringOfMany(d, &v.Where.Tag)
}

// encodeSample and decodeSample are the functions that generated code gives to the runtime.
func encodeSample(b []byte, v sample) (_ []byte, err error) {
	defer Catch(&err)
	return appendSample(b, &v), nil
}

func decodeSample(b []byte) (v sample, rest []byte, err error) {
	d := DecodeMany(b)
	readSample(&d, &v)
	rest, err = d.Rest()
	return v, rest, err
}

func samples() map[string]sample {
	all := map[string]sample{}
	for _, n := range []int{8, 1000, 100_000} {
		v := sample{
			Data: make([]float64, n), Name: "a sample", When: time.Unix(1e9, 1),
			Counts: map[string]int{"one": 1, "two": 2, "three": 3}, Where: place{1, 2, "here"},
		}
		for i := range v.Data {
			v.Data[i] = 1 / float64(i+1)
		}
		all[fmt.Sprintf("n=%d", n)] = v
	}
	return all
}

// A buffer that is used again is all that encoding needs.
func TestEncodingDoesNotAllocate(t *testing.T) {
	v := samples()["n=1000"]
	buf := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := encodeSample(buf, v); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkNumber is what each tiny job pays.
func BenchmarkNumber(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.Run("int", func(b *testing.B) {
		appendIn := func(b []byte, in int) ([]byte, error) { return AppendInt(b, &in), nil }
		readIn := func(b []byte) (in int, rest []byte, err error) {
			d := Decode(b)
			ReadInt(&d, &in)
			rest, err = d.Rest()
			return in, rest, err
		}
		b.ReportAllocs()
		for i := range b.N {
			msg, _ := appendIn(buf, i)
			if got, _, err := readIn(msg); err != nil || got != i {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("float64", func(b *testing.B) {
		appendIn := func(b []byte, in float64) ([]byte, error) { return AppendFloat64(b, &in), nil }
		readIn := func(b []byte) (in float64, rest []byte, err error) {
			d := Decode(b)
			ReadFloat64(&d, &in)
			rest, err = d.Rest()
			return in, rest, err
		}
		b.ReportAllocs()
		for i := range b.N {
			msg, _ := appendIn(buf, float64(i))
			if got, _, err := readIn(msg); err != nil || got != float64(i) {
				b.Fatal(got, err)
			}
		}
	})
}

func BenchmarkSample(b *testing.B) {
	for _, n := range []string{"n=8", "n=1000", "n=100000"} {
		v := samples()[n]
		b.Run(n+"/encode/wire", func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = encodeSample(buf[:0], v)
			}
			b.SetBytes(int64(len(buf)))
		})
		b.Run(n+"/encode/gob", func(b *testing.B) { // of a stream, whose types were sent before
			var buf bytes.Buffer
			enc := gob.NewEncoder(&buf)
			for b.Loop() {
				buf.Reset()
				if err := enc.Encode(&v); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(buf.Len()))
		})
		b.Run(n+"/encode/json", func(b *testing.B) {
			for b.Loop() {
				msg, err := json.Marshal(&v)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(msg)))
			}
		})
		b.Run(n+"/decode/wire", func(b *testing.B) {
			msg, _ := encodeSample(nil, v)
			b.SetBytes(int64(len(msg)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := decodeSample(msg); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(n+"/decode/gob", func(b *testing.B) {
			var buf bytes.Buffer
			if err := gob.NewEncoder(&buf).Encode(&v); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(buf.Len()))
			for b.Loop() {
				var got sample
				if err := gob.NewDecoder(bytes.NewReader(buf.Bytes())).Decode(&got); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(n+"/decode/json", func(b *testing.B) {
			msg, err := json.Marshal(&v)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(msg)))
			for b.Loop() {
				var got sample
				if err := json.Unmarshal(msg, &got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
