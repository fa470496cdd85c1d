package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// file is a .npy file with the given header text, unpadded, and so many zero bytes of data.
func file(major byte, text string, data int) []byte {
	b := append([]byte(magic), major, 0)
	if major == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	}
	return append(append(b, text...), make([]byte, data)...)
}

func read(b []byte) (Header, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestRead(t *testing.T) {
	const plain = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
	tests := []struct {
		name    string
		major   byte
		text    string
		dtype   string
		fortran bool
		shape   []int
	}{
		{"plain", 1, plain, "<f8", false, []int{2, 3}},
		{"version 2", 2, plain, "<f8", false, []int{2, 3}},
		{"version 3", 3, plain, "<f8", false, []int{2, 3}},
		{"padding", 1, plain + strings.Repeat(" ", 100) + "\n", "<f8", false, []int{2, 3}},
		{"no spaces", 1, "{'descr':'<f8','fortran_order':True,'shape':(2,3)}", "<f8", true, []int{2, 3}},
		{"much space", 1, " \t{\n'descr'\r\n:\f '<f8' ,'fortran_order' : True, 'shape': ( 2 , 3 , ) , } \n ",
			"<f8", true, []int{2, 3}},
		{"double quotes", 1, `{"descr": "<f8", "fortran_order": False, "shape": (2, 3)}`, "<f8", false, []int{2, 3}},
		{"other order of keys", 1, "{'shape': (2, 3), 'descr': '<f8', 'fortran_order': False}",
			"<f8", false, []int{2, 3}},
		{"Python 2", 1, "{u'descr': u'<f8', U'fortran_order': False, 'shape': (2L, 3l)}", "<f8", false, []int{2, 3}},
		{"escapes", 1, `{'\x64\145s\u0063\U00000072': '\
<f8', 'fortran_order': False, 'shape': ()}`, "<f8", false, nil},
		{"no axes", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "<f8", false, nil},
		{"one axis", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (00,)}", "<f8", false, []int{0}},
		{"empty and wide", 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 268435455)}",
			"<f8", false, []int{0, 268435455}},
		{"Latin-1 name", 1, "{'descr': [('\xe9', '<f8')], 'fortran_order': False, 'shape': (2,)}",
			"[('é', '<f8')]", false, []int{2}},
		{"UTF-8 name", 3, "{'descr': [('é', '<f8')], 'fortran_order': False, 'shape': (2,)}",
			"[('é', '<f8')]", false, []int{2}},
		{"structure", 2, "{'descr': [('x', '<f8',), ('', '|V3'), (('the title', 'n'), '|u1', (2, 1),), " +
			"('y', '<i4', 1), ('z', '|b1', 4),], " +
			"'fortran_order': False, 'shape': (2,)}",
			"[('x', '<f8'), ('', '|V3'), ('n', '|u1', (2, 1)), ('y', '<i4'), ('z', '|b1', (4,))]", false, []int{2}},
		{"nested", 2, "{'descr': [('a', [('b', [('c', '>i2')], (2,))]), ('d', (('<f4', (3,)), (2,)), (1,))], " +
			"'fortran_order': False, 'shape': (2,)}",
			"[('a', [('b', [('c', '>i2')], (2,))]), ('d', '<f4', (1, 2, 3))]", false, []int{2}},
		{"padding of arrays", 2, "{'descr': [('', '<f8', (2,)), ('x', '|u1'), ('', '|V0'), ('', '|V1'), ('', '|V2')], " +
			"'fortran_order': False, 'shape': (2,)}", "[('', '|V16'), ('x', '|u1'), ('', '|V3')]", false, []int{2}},
		{"empty name", 2, "{'descr': [('', '<f8'), ('', '|V1')], 'fortran_order': False, 'shape': (2,)}",
			"[('', '<f8'), ('', '|V1')]", false, []int{2}},
		{"no fields", 1, "{'descr': [], 'fortran_order': False, 'shape': (2,)}", "[]", false, []int{2}},
		{"elements without size", 1, "{'descr': '|S0', 'fortran_order': False, 'shape': (1073741824,)}", "|S0", false,
			[]int{1 << 30}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, trailing := range []int{0, 1000} {
				b := file(test.major, test.text, 96+trailing)
				h, err := read(b)
				if err != nil {
					t.Fatal(err)
				}
				start := int64(len(b) - 96 - trailing)
				if h.Dtype.String() != test.dtype || h.Fortran != test.fortran || !slices.Equal(h.Shape, test.shape) ||
					h.Version != [2]byte{test.major, 0} || h.Offset != start {
					t.Errorf("got %+v", h)
				}
			}
		})
	}
}

func TestReadBad(t *testing.T) {
	header := func(descr, order, shape string) string {
		return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}"
	}
	of := func(descr string) []byte { return file(1, header(descr, "False", "(2,)"), 16) }
	shaped := func(shape string) []byte { return file(1, header("'<f8'", "False", shape), 48) }
	const at = "the header makes no sense at byte "
	plain := header("'<f8'", "False", "(2, 3)")
	good := file(1, plain, 48)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "the file is empty; a .npy file has at least a header"},
		{"text", []byte("1,2,3\n4,5,6\n"), `this is not a .npy file: it begins with "1,2,3\n", not with "\x93NUMPY"`},
		{"short text", []byte("1"), `this is not a .npy file: it begins with "1", not with "\x93NUMPY"`},
		{"zip", []byte("PK\x03\x04\x14\x00\x00\x00"),
			"this is a zip archive, perhaps a .npz file; unpack the .npy files that are in it"},
		{"only magic", good[:6], "the file ends within its header: it has only 6 bytes"},
		{"no length", good[:9], "the file ends within its header: it has only 9 bytes"},
		{"no length 2", file(2, plain, 0)[:11], "the file ends within its header: it has only 11 bytes"},
		{"half a header", good[:40], "the file ends within its header: that needs 67 bytes, and the file has 40"},
		{"version", []byte(magic + "\x04\x00..."),
			"the file has version 4.0 of the .npy format; versions 1.0, 2.0 and 3.0 can be read"},
		{"minor version", []byte(magic + "\x01\x01..."),
			"the file has version 1.1 of the .npy format; versions 1.0, 2.0 and 3.0 can be read"},
		{"length of 4 GB", []byte(magic + "\x02\x00\xff\xff\xff\xff{"),
			"the file ends within its header: that needs 4294967307 bytes, and the file has 13"},
		{"huge header", file(2, plain+strings.Repeat(" ", 1<<20), 48),
			"the header says it is 1048633 bytes long; at most 1048576 are read"},
		{"not UTF-8", file(3, header("[('\xe9', '<f8')]", "False", "(2,)"), 48),
			"the header is not valid UTF-8, as version 3.0 of the .npy format requires"},

		{"short data", good[:len(good)-1],
			"the data is cut short: shape (2, 3) of <f8 (float64) needs 48 bytes, and 47 are present"},
		{"no data", file(1, header("[('x', '<f8')]", "False", "()"), 0),
			"the data is cut short: shape () of a structure of 1 field: 'x' needs 8 bytes, and 0 are present"},

		{"nothing", file(1, "", 0), at + "10: the end where '{' should be"},
		{"no dictionary", file(1, "('descr',)", 0), at + "10: '(' where '{' should be"},
		{"empty dictionary", file(1, "{}", 0), "the header has no key 'descr'"},
		{"lone comma", file(1, "{,}", 0), at + "11: ',' where a key such as 'descr' should be"},
		{"number as key", file(1, "{1: 2}", 0), at + "11: the number 1 where a key such as 'descr' should be"},
		{"missing key", file(1, "{'descr': '<f8', 'shape': (2,)}", 16), "the header has no key 'fortran_order'"},
		{"unknown key", file(1, "{'descr': '<f8', 'order': 'C'}", 16),
			at + "27: the key 'order' is unknown; 'descr', 'fortran_order' and 'shape' should be there"},
		{"key twice", file(1, "{'shape': (2,), 'shape': (2,)}", 16), at + "26: the key 'shape' comes twice"},
		{"no colon", file(1, "{'shape' (2,)}", 16), at + "19: '(' where ':' should be"},
		{"no comma", file(1, "{'shape': (2,) 'descr': '<f8'}", 16),
			at + "25: the string 'descr' where ',' or '}' should be"},
		{"open", file(1, "{'shape': (2,)", 16), at + "24: the end where ',' or '}' should be"},
		{"more after it", file(1, plain+" x", 48), at + "68: x where the end should be"},
		{"NUL", file(1, plain+"\x00", 48), at + `67: unexpected "\x00"`},
		{"open string", file(1, "{'descr", 48), at + "11: a string has no closing quote"},
		{"open escape", file(1, `{'descr\`, 48), at + "11: a string has no closing quote"},
		{"line feed in a string", file(1, "{'de\nscr'", 48), at + "11: a string has no closing quote"},
		{"unknown escape", file(1, `{'\d'`, 48), at + `11: a string has the unknown escape '\\d'`},
		{"short escape", file(1, `{'\x1`, 48), at + "11: an escape in a string stands for no character"},
		{"surrogate", file(1, `{'\ud800'`, 48), at + "11: an escape in a string stands for no character"},
		{"far too large", file(1, `{'\Uffffffff'`, 48), at + "11: an escape in a string stands for no character"},

		{"order", file(1, header("'<f8'", "None", "(2,)"), 48),
			at + "44: 'fortran_order' is None; it should be True or False"},
		{"order as string", file(1, header("'<f8'", "'True'", "(2,)"), 48),
			at + "44: 'fortran_order' is the string 'True'; it should be True or False"},
		{"order as number", file(1, header("'<f8'", "0", "(2,)"), 48),
			at + "44: 'fortran_order' is the number 0; it should be True or False"},

		{"shape as number", shaped("3"),
			at + "60: 'shape' is the number 3; it should be a tuple of integers such as (3,)"},
		{"shape as list", shaped("[3]"), at + "60: 'shape' is '['; it should be a tuple of integers such as (3,)"},
		{"shape in brackets", shaped("(3)"),
			at + "60: 'shape' is a number in brackets; it should be a tuple of integers such as (3,)"},
		{"float", shaped("(3.5,)"), at + "61: 3.5 is not a decimal integer"},
		{"exponent", shaped("(3e5,)"), at + "61: 3e5 is not a decimal integer"},
		{"octal", shaped("(010,)"), at + "61: 010 is not a decimal integer"},
		{"True", shaped("(True,)"), at + "61: True where an integer should be"},
		{"negative", shaped("(2, -3)"), at + "64: a shape has the negative extent -3"},
		{"too large", shaped("(9223372036854775808,)"),
			at + "61: a shape has the extent 9223372036854775808, which is too large"},
		{"very large", shaped("(" + strings.Repeat("9", 1000) + ",)"),
			at + "61: a shape has the extent " + strings.Repeat("9", 40) + "..., which is too large"},
		{"64 bits, product", shaped("(4611686018427387904, 2)"),
			"the shape (4611686018427387904, 2) has more elements than memory can have bytes"},
		{"64 bits, product beside 0", shaped("(4611686018427387904, 0, 2)"),
			"the shape (4611686018427387904, 0, 2) has more elements than memory can have bytes"},
		{"64 bits, product with size", shaped("(1152921504606846976,)"),
			"an array of shape (1152921504606846976,) with 8 bytes an element is larger than any file"},
		{"axes", shaped("(" + strings.Repeat("1,", 65) + ")"),
			"the header has a shape of more than 64 axes, the most that NumPy allows"},

		{"descr as number", of("8"),
			at + "20: the number 8 where a dtype should be: a string such as '<f8' or a list of fields"},
		{"descr as tuple", of("('<f8', (2,))"),
			at + "20: '(' where a dtype should be: a string such as '<f8' or a list of fields"},
		{"unknown dtype", of("'<x8'"), "the dtype '<x8' is unknown; dtypes such as '<f8', '|b1' or '<i4' can be read"},
		{"objects", of("'|O'"),
			"an array of Python objects, dtype '|O', can be read by Python only; save an array of numbers instead"},
		{"objects within", of("[('a', '<f8'), ('b', [('c', '|O')])]"),
			"an array of Python objects, dtype '|O', can be read by Python only; save an array of numbers instead"},
		{"field twice", of("[('a', '<f8'), ('a', '<f8')]"), at + "35: the field 'a' comes twice"},
		{"field as string", of("['a']"), at + "21: the string 'a' where a field such as ('x', '<f8') should be"},
		{"field of one", of("[('a',)]"),
			at + "26: ')' where a dtype should be: a string such as '<f8' or a list of fields"},
		{"field of four", of("[('a', '<f8', (2,), 3)]"), at + "40: the number 3 where ')' should be"},
		{"negative in field", of("[('a', '<f8', -2)]"), at + "34: a shape has the negative extent -2"},
		{"64 bits, large field", of("[('a', '<f8', (1152921504606846976,))]"), at + "21: the structure is too large"},
		{"64 bits, large fields", of("[('a', '|u1', (9223372036854775807,)), ('b', '|u1')]"),
			at + "59: the structure is too large"},
		{"64 bits, product in field", of("[('a', '<f8', (9223372036854775807, 3))]"),
			"the shape (9223372036854775807, 3) has more elements than memory can have bytes"},
		{"axes in field", of("[('a', (('<f8', (" + strings.Repeat("1,", 60) + ")), (1, 1, 1, 1, 1)))]"),
			"the shape has 65 axes; NumPy's arrays have at most 64"},
		{"deep", of(strings.Repeat("[('a', ", 33)), "the header has structures nested more than 32 deep"},
		{"deep tuples", of("[('a', " + strings.Repeat("(", 33)), "the header has structures nested more than 32 deep"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if strconv.IntSize == 32 && strings.HasPrefix(test.name, "64 bits, ") {
				t.Skip("needs an int of 64 bits")
			}
			h, err := read(test.file)
			if err == nil {
				t.Fatalf("it is read as %+v", h)
			}
			if err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// A file that is cut anywhere is refused, and so is one with any byte of its head changed, or it
// still is a file with its data present.
func TestReadDamaged(t *testing.T) {
	dt, err := ParseDtype("[('x', '<f8'), ('n', [('a', '|u1', (2,)), ('b', '>i2')])]")
	if err != nil {
		t.Fatal(err)
	}
	b, err := AppendHeader(nil, dt, true, []int{3, 5})
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, make([]byte, 15*dt.Size())...)
	for i := range b {
		if h, err := read(b[:i]); err == nil {
			t.Fatalf("%d of %d bytes are read as %+v", i, len(b), h)
		}
	}
	for i := range b {
		for _, c := range []byte("\x00\x01\xff'\"()[]{},:\\0 9aL") {
			changed := slices.Clone(b)
			changed[i] = c
			if h, err := read(changed); err == nil && h.Offset+h.DataSize() > int64(len(b)) {
				t.Fatalf("with byte %d = %q it is read as %+v", i, c, h)
			}
		}
	}
}

// failing is a reader that fails after its bytes.
type failing struct {
	bytes []byte
	err   error
}

func (f failing) ReadAt(b []byte, at int64) (int, error) {
	n := copy(b, f.bytes[min(at, int64(len(f.bytes))):])
	if n == len(b) && f.err != io.EOF {
		return n, nil
	}
	return n, f.err
}

func TestReadErrors(t *testing.T) {
	good := file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", 0)
	if _, err := Read(failing{good, io.EOF}, int64(len(good)+48)); err != nil {
		t.Errorf("io.EOF with the last bytes is no error, but: %v", err)
	}
	for n := range good {
		_, err := Read(failing{good[:n], io.EOF}, int64(len(good)+48))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a file cut to %d bytes meanwhile: %v", n, err)
		}
		broken := errors.New("broken")
		_, err = Read(failing{good[:n], broken}, int64(len(good)+48))
		if !errors.Is(err, broken) {
			t.Errorf("a disk broken at byte %d: %v", n, err)
		}
	}
}

func ExampleRead() {
	d, _ := ParseDtype("<f8")
	b, _ := AppendHeader(nil, d, false, []int{2, 3})
	b = append(b, make([]byte, 6*8)...)
	h, err := Read(bytes.NewReader(b), int64(len(b)))
	fmt.Println(h.Dtype, h.Shape, h.Offset, err)
	// Output: <f8 [2 3] 128 <nil>
}
