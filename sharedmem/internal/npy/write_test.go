package npy

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

func TestAppendHeader(t *testing.T) {
	d, err := ParseDtype("<f8")
	if err != nil {
		t.Fatal(err)
	}
	b, err := AppendHeader([]byte("before"), d, true, []int{3, 4})
	want := "before" + magic + "\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }" +
		strings.Repeat(" ", 59) + "\n"
	if err != nil || string(b) != want {
		t.Errorf("got %q, %v\nwant %q", b, err, want)
	}

	wide := Dtype{kind: kindStruct, order: '|'}
	for _, name := range "abcdefghijklmnop" {
		name := strings.Repeat(string(name), 1<<16)
		f := field{name: name, offset: wide.size, dtype: Dtype{kind: 'b', order: '|', size: 1}}
		wide.fields = append(wide.fields, f)
		wide.size++
	}
	for _, test := range []struct {
		dtype Dtype
		shape []int
		want  string
	}{
		{Dtype{}, []int{1}, "the header has no dtype"},
		{d, []int{2, -1}, "axis 1 of the shape (2, -1) is negative"},
		{d, make([]int, 65), "the shape has 65 axes; NumPy's arrays have at most 64"},
		{d, []int{math.MaxInt, 0, 2}, "has more elements than memory can have bytes"},
		{wide, []int{1}, "the header would be 1048884 bytes long; the dtype has too many fields"},
	} {
		b, err := AppendHeader([]byte("before"), test.dtype, false, test.shape)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) || string(b) != "before" {
			t.Errorf("got %q, %v, want %s", b, err, test.want)
		}
	}
}

// What AppendHeader writes, Read reads.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dt := drawDtype(t, 3)
		fortran := rapid.Bool().Draw(t, "fortran")
		shape := rapid.SliceOfN(rapid.IntRange(0, 1000), 0, 3).Draw(t, "shape")
		b, err := AppendHeader(nil, dt, fortran, shape)
		if err != nil {
			t.Fatal(err)
		}
		if len(b)%64 != 0 || b[len(b)-1] != '\n' {
			t.Fatalf("the header %q has %d bytes", b, len(b))
		}
		need, err := dataSize(dt, shape)
		if err != nil {
			t.Fatal(err)
		}
		h, err := Read(failing{bytes: b}, int64(len(b))+need)
		if err != nil {
			t.Fatalf("%v\n%q", err, b)
		}
		if !reflect.DeepEqual(h.Dtype, dt) || h.Fortran != fortran || !slices.Equal(h.Shape, shape) ||
			h.Offset != int64(len(b)) || h.DataSize() != need {
			t.Fatalf("got  %+v\nwant %+v, %v, %v", h, dt, fortran, shape)
		}
		if need > 0 {
			if h, err := Read(failing{bytes: b}, int64(len(b))+need-1); err == nil {
				t.Fatalf("with too little data it is read as %+v", h)
			}
		}
		if again, err := ParseDtype(dt.String()); err != nil || !reflect.DeepEqual(again, dt) {
			t.Fatalf("ParseDtype(%q) = %+v, %v, want %+v", dt, again, err, dt)
		}
	})
}

// drawDtype draws a dtype, of structures nested up to depth.
func drawDtype(t *rapid.T, depth int) Dtype {
	if depth == 0 || rapid.Bool().Draw(t, "is scalar") {
		scalars := strings.Fields("|b1 |i1 |u1 <i2 >i2 <u4 >i8 <f2 <f4 >f8 " +
			"<f16 <c8 >c16 |S0 |S3 |V5 <U5 >U2 <M8[ns] >m8[25s]")
		d, err := parseScalar(rapid.SampledFrom(scalars).Draw(t, "scalar"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := Dtype{kind: kindStruct, order: '|'}
	gap := func() int64 { return max(0, rapid.Int64Range(-8, 8).Draw(t, "gap")) }
	for _, name := range rapid.SliceOfNDistinct(rapid.StringN(1, 5, -1), 0, 4, rapid.ID).Draw(t, "names") {
		f := field{name: name, offset: d.size + gap(), dtype: drawDtype(t, depth-1)}
		if dims := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "dims"); len(dims) > 0 {
			f.dims = dims
		}
		d.fields = append(d.fields, f)
		d.size = f.offset + f.dtype.size*f.count()
	}
	d.size += gap()
	return d
}
