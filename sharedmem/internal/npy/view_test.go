package npy

import (
	"strings"
	"testing"
)

func TestCheckView(t *testing.T) {
	if native != '<' {
		t.Skip("the texts are those of a little-endian machine")
	}
	for _, test := range []struct{ file, goType, want string }{
		{"<f8", "<f8", ""},
		{"|b1", "|b1", ""},
		{"<i8", "<i8", ""},
		{"<M8[ns]", "<i8", ""},
		{"<m8", "<i8", ""},
		{"[('a', '<f8'), ('b', '<M8[s]', (2,))]", "[('a', '<f8'), ('b', '<i8', (2,))]", ""},
		{"[('a', '|u1'), ('', '|V7'), ('b', '<f8')]", "[('a', '|u1'), ('', '|V3'), ('', '|V4'), ('b', '<f8')]", ""},

		{">f8", "<f8", "the file holds >f8 (big-endian float64); convert it with a.astype('<f8')"},
		{">M8[ns]", "<i8",
			"the file holds >M8[ns] (big-endian datetime64[ns]); convert it with a.astype(a.dtype.newbyteorder('<'))"},
		{"<f4", "<f8",
			"the file holds <f4 (float32), not <f8 (float64); use float32 in Go, or convert it with a.astype('<f8')"},
		{">f4", "<f8", "the file holds >f4 (big-endian float32), not <f8 (float64); convert it with a.astype('<f8')"},
		{"<i8", "<u8",
			"the file holds <i8 (int64), not <u8 (uint64); use int64 in Go, or convert it with a.astype('<u8')"},
		{"|u1", "|b1",
			"the file holds |u1 (uint8), not |b1 (bool); use uint8 in Go, or convert it with a.astype('|b1')"},
		{"<c8", "<f8",
			"the file holds <c8 (complex64), not <f8 (float64); use complex64 in Go, or convert it with " +
				"a.astype('<f8')"},
		{"<m8[s]", "<f8",
			"the file holds <m8[s] (timedelta64[s]), not <f8 (float64); use int64 in Go, or convert it with " +
				"a.astype('<f8')"},

		{"<f2", "<f4", "the file holds <f2 (float16), for which Go has no type; convert it with a.astype('<f4')"},
		{"<f16", "<f8",
			"the file holds <f16 (float128, a long double), for which Go has no type; convert it with a.astype('<f8')"},
		{">c32", "<c16",
			"the file holds >c32 (big-endian complex256, a long double), for which Go has no type; convert it with " +
				"a.astype('<c16')"},
		{"<U5", "<f8",
			"the file holds <U5 (5 characters of text), for which Go has no type; save the codes of its characters, " +
				"a.view('<u4')"},
		{"|S1", "|u1", "the file holds |S1 (1 byte of text), for which Go has no type; save its bytes, a.view('u1')"},
		{"|V3", "|u1", "the file holds |V3 (3 raw bytes), for which Go has no type; save its bytes, a.view('u1')"},
		{"[('a', '|S3')]", "[('a', '|u1', (3,))]",
			"in the field 'a' the file holds |S3 (3 bytes of text), for which Go has no type; convert it before " +
				"saving"},

		{"<f8", "[('a', '<f8')]", "the file holds <f8 (float64), not a structure of 1 field: 'a'"},
		{"[('a', '<f8')]", "<f8", "the file holds a structure of 1 field: 'a', not <f8 (float64)"},
		{"[('a', '<f8')]", "[]",
			"the file holds a structure of 1 field: 'a'; the Go type is a structure without fields"},
		{"[('a', '<f8'), ('b', '<f8'), ('c', '<f8')]", "[('a', '<f8'), ('b', '<f8')]",
			"the file holds a structure of 3 fields: 'a', 'b', 'c'; the Go type is a structure of 2 fields: 'a', 'b'"},
		{"[('a', '<f8'), ('b', '<f8')]", "[('a', '<f8'), ('B', '<f8')]",
			"field 2 has the name 'b' in the file and 'B' in the Go type; names and their order have to agree, " +
				"and a tag such as `npy:\"x\"` names a field of the Go type"},
		{"[('a', '>f8')]", "[('a', '<f8')]",
			"in the field 'a' the file holds >f8 (big-endian float64); convert it with " +
				"a.astype(a.dtype.newbyteorder('<'))"},
		{"[('a', [('b', '<f4')])]", "[('a', [('b', '<f8')])]",
			"in the field 'a.b' the file holds <f4 (float32), not <f8 (float64)"},
		{"[('a', [('b', '<f4')])]", "[('a', [('c', '<f4')])]",
			"in the field 'a': field 1 has the name 'b' in the file and 'c' in the Go type; names and their order " +
				"have to agree, and a tag such as `npy:\"x\"` names a field of the Go type"},
		{"[('a', '<f8', (3,))]", "[('a', '<f8', (2, 2))]",
			"the field 'a' has the shape (3,) in the file and the shape (2, 2) in the Go type"},
		{"[('a', '<f8')]", "[('a', '<f8', (1,))]",
			"the field 'a' has one value in the file and the shape (1,) in the Go type"},
		{"[('a', '|u1'), ('b', '<f8')]", "[('a', '|u1'), ('', '|V7'), ('b', '<f8')]",
			"the field 'b' begins at byte 1 in the file and at byte 8 in the Go type; " +
				"NumPy leaves gaps between fields as Go does if the dtype is made with align=True"},
		{"[('a', '|u1'), ('', '|V7'), ('b', '|u1')]", "[('a', '|u1'), ('b', '|u1')]",
			"the field 'b' begins at byte 8 in the file and at byte 1 in the Go type; a field _ [7]byte in the Go " +
				"type can fill the gap"},
		{"[('a', '<f8'), ('b', '|u1')]", "[('a', '<f8'), ('b', '|u1'), ('', '|V7')]",
			"an element has 9 bytes in the file and 16 in the Go type; " +
				"NumPy leaves gaps between fields as Go does if the dtype is made with align=True"},
	} {
		file, err := ParseDtype(test.file)
		if err != nil {
			t.Fatal(err)
		}
		goType, err := ParseDtype(test.goType)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := file.CheckView(goType); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s as %s:\ngot  %s\nwant %s", test.file, test.goType, got, test.want)
		}
	}

	many := "[" + strings.Repeat("('%', '<f8'), ", 20) + "]"
	for i := range 20 {
		many = strings.Replace(many, "%", strings.Repeat(string(rune('a'+i)), 100), 1)
	}
	d, err := ParseDtype(many)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckView(Dtype{}); err == nil || len(err.Error()) > 500 {
		t.Errorf("a structure of many fields with long names: %v", err)
	}
}
