package npy

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// maxRatio is how many bytes Read may allocate for each byte of the header. The worst are short fields,
// which have a name, an offset, a type and a shape each, in a slice that grows.
const maxRatio = 100

// Whatever the file, Read neither panics nor allocates much more than the file is long, and what it
// accepts it accepts again when written anew.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }    \n",
		`{"shape": (3L,), "descr": u"|u1", "fortran_order": True}`,
		"{'descr': '<M8[25ns]', 'fortran_order': False, 'shape': (), }",
		"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
		"{'descr': [('x', '<f8'), ('', '|V4'), (('t', 'n'), [('a', '>U2', (2, 3))], (2,))], " +
			"'fortran_order': True, 'shape': (0, 9)}",
		`{'descr': [('\xe9\u03bb\'"', ('<f8', (2,)), 3), ("é", '|S0')], ` +
			`'fortran_order': False, 'shape': (4611686018427387904,)}`,
		"{'descr': [" + strings.Repeat("[('a',", 40) + "], 'fortran_order': False, 'shape': (-1,)}",
	} {
		for major := range byte(4) {
			f.Add(file(major, text, 48))
		}
	}
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, err := read(b)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > maxRatio*uint64(len(b))+1<<16 {
			t.Errorf("%d bytes are allocated for %d", n, len(b))
		}
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes: %v", len(err.Error()), err)
			}
			return
		}
		if h.Offset+h.DataSize() > int64(len(b)) || h.DataSize() < 0 {
			t.Fatalf("%+v is accepted for %d bytes", h, len(b))
		}
		_ = h.Dtype.CheckView(h.Dtype)

		again, err := AppendHeader(nil, h.Dtype, h.Fortran, h.Shape)
		if err != nil {
			t.Fatal(err)
		}
		g, err := Read(failing{bytes: again}, int64(len(again))+h.DataSize())
		if err != nil {
			t.Fatalf("%v\n%q", err, again)
		}
		if !reflect.DeepEqual(g.Dtype, h.Dtype) || g.Fortran != h.Fortran || !slices.Equal(g.Shape, h.Shape) {
			t.Fatalf("got  %+v\nwant %+v", g, h)
		}
	})
}

// The worst headers: long ones of many small pieces.
func TestReadAllocates(t *testing.T) {
	const n = 200_000
	many := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			name := string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676%26), 'a' + byte(i/17576%26)})
			b.WriteString(strings.ReplaceAll(format, "%", name))
		}
		return b.String()
	}
	for name, descr := range map[string]string{
		"fields":     "[" + many("('%','b1'),") + "]",
		"structures": "[" + many("('%',[]),") + "]",
		"arrays":     "[" + many("('%','b1',(1,)),") + "]",
		"many axes":  "[" + many("('%','b1',("+strings.Repeat("1,", 64)+")),") + "]",
		"padding":    "[" + many("('','V1'),") + "]",
		"brackets":   strings.Repeat("[", n),
		"tuples":     "[('a'," + strings.Repeat("(", n),
		"name":       "[('" + strings.Repeat("\\\\", n/2) + "','b1')]",
		"number":     "[('a','b1'," + strings.Repeat("9", n) + ")]",
		"scalar":     "'" + strings.Repeat("9", n) + "'",
	} {
		b := file(2, "{'descr': "+descr+", 'fortran_order': False, 'shape': (0,)}", 0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(b)
		runtime.ReadMemStats(&after)
		ratio := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(b))
		t.Logf("%s: %.1f bytes a byte, %v", name, ratio, err)
		if ratio > maxRatio {
			t.Errorf("%s: %.1f bytes are allocated for each byte", name, ratio)
		}
	}
}
