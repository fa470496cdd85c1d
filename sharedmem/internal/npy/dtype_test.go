package npy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseDtype(t *testing.T) {
	order := string(native)
	for in, want := range map[string]string{
		"<f8": "<f8", ">f8": ">f8", "=f8": order + "f8", "|f8": order + "f8", "f8": order + "f8",
		"|b1": "|b1", "?": "|b1", "<?": "|b1", "bool": "|b1", ">i1": "|i1", "<u1": "|u1", "b": "|i1",
		"float32": order + "f4", "complex128": order + "c16", ">d": ">f8", "uint16": order + "u2",
		"<f2": "<f2", "<f16": "<f16", "<c32": "<c32", "|S3": "|S3", "S": "|S0", "<S5": "|S5", ">U5": ">U5", "<V2": "|V2",
		"<M8[ns]": "<M8[ns]", ">m8[25s]": ">m8[25s]", "<M8": "<M8", "<M8[generic]": "<M8[generic]",
		"[]": "[]", " [('a', '<f8'),]\n": "[('a', '<f8')]", "[('', '|V4')]": "[('', '|V4')]",
	} {
		d, err := ParseDtype(in)
		if err != nil || d.String() != want {
			t.Errorf("ParseDtype(%q) = %v, %v, want %s", in, d, err, want)
			continue
		}
		if again, err := ParseDtype(d.String()); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("ParseDtype(%q) = %#v, %v, want %#v", d, again, err, d)
		}
	}
	for _, in := range []string{
		"", "<", "<f3", "<f-8", "<f+8", "<f8x", "<<f8", "<float64", "<i16", "<b2", "<u", "c", "<f8[ns]", "<M8[", "<M8[]",
		"<M8[parsec]", "<M8[ns]]", "<M4[ns]",
		"|V99999999999999999999", "|U4611686018427387904", "|T16", "l", "'<f8'", "\xff", "O", "|O8",
		"[", "[]]", "[('a', '<f8')", "[('\xff', '<f8')]",
	} {
		if d, err := ParseDtype(in); err == nil {
			t.Errorf("ParseDtype(%q) = %v, want an error", in, d)
		}
	}
}

type (
	number   float64
	text     string
	particle struct {
		Pos  [3]number `npy:"pos"`
		Mass float32   `npy:"mass" json:"m"`
		_    [4]byte
		kind uint16 //lint:ignore U1000 unexported fields count too
		Alt  struct{ A, B bool }
	}
	labelled struct {
		N    int32
		Tags [2]struct{ Name text }
	}
	pointers struct {
		Next *pointers
	}
)

func TestDtypeOf(t *testing.T) {
	n := string(native)
	word := map[uintptr]string{4: "4", 8: "8"}[reflect.TypeFor[int]().Size()]
	for _, test := range []struct {
		value any
		dtype string
		dims  []int
	}{
		{true, "|b1", nil},
		{int8(0), "|i1", nil}, {int16(0), n + "i2", nil}, {int32(0), n + "i4", nil}, {int64(0), n + "i8", nil},
		{uint8(0), "|u1", nil}, {uint16(0), n + "u2", nil}, {uint32(0), n + "u4", nil}, {uint64(0), n + "u8", nil},
		{int(0), n + "i" + word, nil}, {uint(0), n + "u" + word, nil}, {uintptr(0), n + "u" + word, nil},
		{float32(0), n + "f4", nil}, {float64(0), n + "f8", nil},
		{complex64(0), n + "c8", nil}, {complex128(0), n + "c16", nil},
		{number(0), n + "f8", nil},
		{[3]number{}, n + "f8", []int{3}},
		{[3][2][1]bool{}, "|b1", []int{3, 2, 1}},
		{struct{ A, B uint8 }{}, "[('A', '|u1'), ('B', '|u1')]", nil},
		{[2]struct{ A [3][2]uint8 }{}, "[('A', '|u1', (3, 2))]", []int{2}},
		{struct {
			A uint8
			_ float32 `npy:"unused"`
			b bool
		}{}, "[('A', '|u1'), ('', '|V3'), ('unused', '" + n + "f4'), ('b', '|b1'), ('', '|V3')]", nil},
		{struct {
			_ [0]*int
			A [2]struct{ number }
		}{}, "[('A', [('number', '" + n + "f8')], (2,))]", nil},
		{struct{ _ [4]int16 }{}, "[('', '|V8')]", nil},
		{particle{}, strings.ReplaceAll("[('pos', '<f8', (3,)), ('mass', '<f4'), ('', '|V4'), ('kind', '<u2'), "+
			"('Alt', [('A', '|b1'), ('B', '|b1')]), ('', '|V4')]", "<", n), nil},
	} {
		typ := reflect.TypeOf(test.value)
		if typ == reflect.TypeFor[particle]() && word == "4" {
			continue // has no padding at the end
		}
		d, dims, err := DtypeOf(typ)
		if err != nil || d.String() != test.dtype || !slices.Equal(dims, test.dims) {
			t.Errorf("DtypeOf(%v) = %v, %v, %v, want %s, %v", typ, d, dims, err, test.dtype, test.dims)
			continue
		}
		size := d.Size()
		for _, dim := range dims {
			size *= int64(dim)
		}
		if size != int64(typ.Size()) {
			t.Errorf("DtypeOf(%v) has %d bytes, want %d", typ, size, typ.Size())
		}
		if again, err := ParseDtype(d.String()); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("ParseDtype(%q) = %#v, %v, want %#v", d, again, err, d)
		}
		if err := d.CheckView(d); err != nil {
			t.Errorf("%v cannot be viewed as itself: %v", d, err)
		}
	}
}

func TestDtypeOfBad(t *testing.T) {
	const because = "holds a pointer, and a pointer means nothing in a file"
	for _, test := range []struct {
		typ  reflect.Type
		want string
	}{
		{nil, "there is no Go type: the value is nil"},
		{reflect.TypeFor[string](),
			"the Go type string has no NumPy dtype: it " + because +
				"; an array such as [16]byte keeps its text in place"},
		{reflect.TypeFor[[2][]int](),
			"the Go type [2][]int has no NumPy dtype: it " + because + "; an array keeps its elements in place"},
		{reflect.TypeFor[error](), "the Go type error has no NumPy dtype: it " + because},
		{reflect.TypeFor[labelled](),
			"the Go type npy.labelled has no NumPy dtype: its field Tags[].Name, of type npy.text, " + because +
				"; an array such as [16]byte keeps its text in place"},
		{reflect.TypeFor[[4]pointers](),
			"the Go type [4]npy.pointers has no NumPy dtype: its field Next, of type *npy.pointers, " + because},
		{reflect.TypeFor[struct{ _ map[int]int }](),
			"the Go type struct { _ map[int]int } has no NumPy dtype: its field _, of type map[int]int, " + because},
		{reflect.TypeFor[struct{ A [0]func() }](),
			"the Go type struct { A [0]func() } has no NumPy dtype: its field A[], of type func(), " + because},
		{reflect.TypeFor[struct{ C chan int }](),
			"the Go type struct { C chan int } has no NumPy dtype: its field C, of type chan int, " + because},
		{reflect.TypeFor[struct{}](),
			"the Go type struct {} has no NumPy dtype: its values have no size, so there is nothing to store"},
		{reflect.TypeFor[[0]int](),
			"the Go type [0]int has no NumPy dtype: its values have no size, so there is nothing to store"},
		{reflect.TypeFor[struct {
			A int
			B struct {
				X int `npy:"Y"`
				Y int
			}
		}](), "the Go type struct { A int; B struct { X int \"npy:\\\"Y\\\"\"; Y int } } has no NumPy dtype: " +
			"two of its fields have the name 'Y'; a tag `npy:\"name\"` changes one"},
		{reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[int8](), Tag: `npy:"\xff"`}}),
			"the Go type struct { A int8 \"npy:\\\"\\\\xff\\\"\" } has no NumPy dtype: " +
				"the tag of its field A is not valid UTF-8"},
	} {
		_, _, err := DtypeOf(test.typ)
		if err == nil || err.Error() != test.want {
			t.Errorf("DtypeOf(%v):\ngot  %v\nwant %s", test.typ, err, test.want)
		}
	}

	deep := reflect.TypeFor[int8]()
	for i := range maxDepth + 1 {
		if _, _, err := DtypeOf(deep); err != nil {
			t.Fatalf("%d structures deep: %v", i, err)
		}
		deep = reflect.StructOf([]reflect.StructField{{Name: "F", Type: deep}})
	}
	_, _, err := DtypeOf(deep)
	if err == nil || !strings.HasSuffix(err.Error(), "it has structures nested more than 32 deep") {
		t.Errorf("a deep type: %v", err)
	}
	wide := reflect.TypeFor[int8]()
	for range maxDims + 1 {
		wide = reflect.ArrayOf(1, wide)
	}
	for _, typ := range []reflect.Type{wide, reflect.StructOf([]reflect.StructField{{Name: "F", Type: wide}})} {
		_, _, err := DtypeOf(typ)
		if err == nil || !strings.HasSuffix(err.Error(), "has 65 axes; NumPy's arrays have at most 64") {
			t.Errorf("an array of many axes: %v", err)
		}
	}
}
