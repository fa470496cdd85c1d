package npy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// numpyCase is an array that one side writes and the other reads.
type numpyCase struct {
	File    string
	Dtype   string // an expression in Python
	Shape   []int
	Fortran bool
	Version []int // nil: NumPy chooses

	dtype Dtype // what Go writes
}

// numpyField is a field's name, its offset and the fields within: [name, offset, [...]].
type numpyField [3]any

type numpyFindings struct {
	Version string
	Growth  bool
	Save    []struct {
		Descr   string
		Size    int64
		Offsets []numpyField
		Fortran bool
	}
	Load []string
}

// Types that Go writes. The dtypes in the test are what NumPy makes of the same C structures.
type (
	vector struct{ X, Y, Z float64 }
	flag   bool
	gaps   struct {
		A int8
		B float64 `npy:"b"`
		c uint16  //lint:ignore U1000 unexported fields count too
	}
	nested struct {
		_    [0]func()
		ID   int32
		Pos  [2]vector `npy:"pos"`
		Gaps gaps
		Grid [2][3]complex64
		Ok   flag
		_    [5]byte
		Last uint8 `npy:"naïve ∑"`
		_    struct{}
	}
)

const (
	pyVector = "np.dtype([('X','=f8'),('Y','=f8'),('Z','=f8')], align=True)"
	pyGaps   = "np.dtype([('A','i1'),('b','=f8'),('c','=u2')], align=True)"
	pyNested = "np.dtype({'names':['ID','pos','Gaps','Grid','Ok','naïve ∑']," +
		"'formats':['=i4',(" + pyVector + ",(2,))," + pyGaps + ",('=c8',(2,3)),'?','u1']," +
		"'offsets':[0,8,56,80,128,134],'itemsize':136})"
)

func TestNumPy(t *testing.T) {
	python := pythonWithNumPy()
	if python == "" {
		t.Skip("no python3 with numpy")
	}
	dir := t.TempDir()

	var cases struct{ Save, Load []numpyCase }
	save := func(dtype string, shape []int, fortran bool, version ...int) {
		file := filepath.Join(dir, fmt.Sprintf("python%d.npy", len(cases.Save)))
		c := numpyCase{File: file, Dtype: dtype, Shape: shape, Fortran: fortran, Version: version}
		cases.Save = append(cases.Save, c)
	}
	load := func(dtype string, dt Dtype, shape []int, fortran bool) {
		file := filepath.Join(dir, fmt.Sprintf("go%d.npy", len(cases.Load)))
		c := numpyCase{File: file, Dtype: dtype, Shape: shape, Fortran: fortran, dtype: dt}
		cases.Load = append(cases.Load, c)
	}

	shapes := [][]int{{}, {0}, {1}, {7}, {3, 4}, {4, 0, 2}, {2, 3, 4, 5}, {1003}}
	scalars := strings.Fields("|b1 |i1 |u1 <i2 >i2 <i4 >i4 <i8 >i8 <u2 >u2 <u4 <u8 >u8 <f2 <f4 <f8 >f8 <c8 <c16 >c16 " +
		"|S3 |V5 <U5 >U2 <M8[ns] >M8[D] <m8[25s] <M8")
	for _, s := range scalars {
		for _, shape := range shapes {
			save("np.dtype('"+s+"')", shape, false)
			save("np.dtype('"+s+"')", shape, true)
		}
		dt, err := ParseDtype(s)
		if err != nil {
			t.Fatal(err)
		}
		load("np.dtype('"+s+"')", dt, []int{}, false)
		load("np.dtype('"+s+"')", dt, []int{3, 4}, false)
		load("np.dtype('"+s+"')", dt, []int{3, 4, 5}, true)
	}
	structures := []string{
		"np.dtype([('x','<f8'),('n','<i4')])",
		"np.dtype([('x','|i1'),('n','<i4'),('y','>f8')], align=True)",
		"np.dtype([('a',[('b',[('c','<f4',(2,)),('d','|b1')]),('e','<c16')],(2,2)),('f','|S7')], align=True)",
		"np.dtype([('raw','|V3'),('m','<f8',(3,1,2)),('none','<i8',(0,)),('t','<M8[us]')])",
		"np.dtype({'names':['a','b'],'formats':['<f4','|u1'],'offsets':[4,20],'itemsize':64})",
		"np.dtype({'names':[],'formats':[],'itemsize':8})",
		`np.dtype([("it's",'<f8'),('say "hi"','<f8'),("'both\"",'<f8'),('tab\t\n\\\x00\x7f','<f8'),(' ','|i1')])`,
		"np.dtype([('é','<f8'),('\\xa0\\xad','<f4')])",
		"np.dtype([('λ','<f8'),('\\u200b\\U0001f600\\U000e0001','<f4')])",
		"np.dtype('f8,i1,(2,3)u2')",
	}
	for _, s := range structures {
		for _, shape := range shapes[:6] {
			save(s, shape, false)
		}
		save(s, []int{2, 3}, true)
	}
	save("np.dtype([('field number %d' % i, '<f8') for i in range(3000)])", []int{2, 3}, false) // version 2
	save("np.dtype([('é%d' % i, '<f8') for i in range(4000)])", []int{}, false)
	save("np.dtype('|i1')", []int{10000019}, false)
	for _, version := range [][]int{{1, 0}, {2, 0}, {3, 0}} {
		save("np.dtype('<f4')", []int{3, 4}, true, version...)
		save("np.dtype([('é','<f4')])", []int{3}, false, version...)
	}
	titles := len(cases.Save) // from here on Descr differs from what Go writes, in harmless ways
	save("np.dtype([(('A title','a'),'<f8'),('b',('<f8',(2,)),(3,))])", []int{3}, false)

	for _, g := range []struct {
		value any
		dtype string
	}{
		{false, "np.dtype('?')"}, {flag(false), "np.dtype('?')"}, {int(0), "np.dtype('=i8')"},
		{int8(0), "np.dtype('i1')"}, {int16(0), "np.dtype('=i2')"}, {int32(0), "np.dtype('=i4')"},
		{int64(0), "np.dtype('=i8')"}, {uintptr(0), "np.dtype('=u8')"}, {uint32(0), "np.dtype('=u4')"},
		{float32(0), "np.dtype('=f4')"}, {0.0, "np.dtype('=f8')"},
		{complex64(0), "np.dtype('=c8')"}, {0i, "np.dtype('=c16')"},
		{vector{}, pyVector}, {gaps{}, pyGaps}, {nested{}, pyNested},
		{[3][2]float32{}, "np.dtype('=f4')"}, {[2]gaps{}, pyGaps},
		{struct{ _ [8]byte }{}, "np.dtype({'names':[],'formats':[],'itemsize':8})"},
		{struct {
			Marker struct{}
			Empty  [0]int32
			A      uint16
		}{}, "np.dtype([('Marker',[]),('Empty','=i4',(0,)),('A','=u2')], align=True)"},
	} {
		if strconv.IntSize == 32 {
			break // sizes and alignments need not be Python's
		}
		dt, dims, err := DtypeOf(reflect.TypeOf(g.value))
		if err != nil {
			t.Fatal(err)
		}
		load(g.dtype, dt, append([]int{2, 3}, dims...), false)
		load(g.dtype, dt, append([]int{0}, dims...), false)
		load(g.dtype, dt, append([]int{4}, dims...), true)
	}
	for _, names := range []string{"short%d", "a much longer name, with an é %d", "a much longer name, with a λ %d"} {
		dt := Dtype{kind: kindStruct, order: '|'}
		for i := range 3000 {
			f := field{name: fmt.Sprintf(names, i), offset: dt.size, dtype: Dtype{kind: 'i', order: '|', size: 1}}
			dt.fields, dt.size = append(dt.fields, f), dt.size+1
		}
		load(fmt.Sprintf("np.dtype([('%s' %% i, 'i1') for i in range(3000)])", names), dt, []int{3}, false)
	}
	for _, c := range cases.Load {
		file, err := AppendHeader(nil, c.dtype, c.Fortran, c.Shape)
		if err != nil {
			t.Fatal(err)
		}
		need, err := dataSize(c.dtype, c.Shape)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.File, append(file, make([]byte, need)...), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	var found numpyFindings
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join("testdata", "numpy_check.py"))
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatal(err)
	}
	t.Logf("NumPy %s: %d files read, %d written", found.Version, len(cases.Save), len(cases.Load))

	for i, c := range cases.Load {
		if found.Load[i] != "" {
			t.Errorf("NumPy reads %s of shape %v otherwise: %s", c.dtype, c.Shape, found.Load[i])
		}
	}
	for i, c := range cases.Save {
		want := found.Save[i]
		file, err := os.ReadFile(c.File)
		if err != nil {
			t.Fatal(err)
		}
		h, err := Read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Errorf("%s of shape %v: %v", c.Dtype, c.Shape, err)
			continue
		}
		if !slices.Equal(h.Shape, c.Shape) || h.Fortran != want.Fortran || h.Dtype.Size() != want.Size {
			t.Errorf("%s of shape %v is read as %+v; NumPy says %+v", c.Dtype, c.Shape, h, want)
		}
		if got := offsets(h.Dtype); fmt.Sprint(got) != fmt.Sprint(want.Offsets) {
			t.Errorf("%s has the fields %v; NumPy says %v", c.Dtype, got, want.Offsets)
		}
		if end := h.Offset + h.DataSize(); end != int64(len(file)) {
			t.Errorf("%s of shape %v ends at byte %d of %d", c.Dtype, c.Shape, end, len(file))
		}
		if c.Version != nil && (int(h.Version[0]) != c.Version[0] || int(h.Version[1]) != c.Version[1]) {
			t.Errorf("%s is read as version %v, not %v", c.Dtype, h.Version, c.Version)
		}
		if i >= titles {
			continue
		}
		if got := h.Dtype.String(); got != want.Descr {
			t.Errorf("%s prints as %s; NumPy prints %s", c.Dtype, got, want.Descr)
		}
		if !found.Growth || c.Version != nil {
			continue // an older NumPy, which leaves no room for growth
		}
		written, err := AppendHeader(nil, h.Dtype, h.Fortran, h.Shape)
		if err != nil || !bytes.Equal(written, file[:h.Offset]) {
			t.Errorf("%s of shape %v: the header is\n%q, %v; NumPy writes\n%q",
				c.Dtype, c.Shape, written, err, file[:h.Offset])
		}
	}
}

// offsets lists the fields of a dtype as the Python side of the test does.
func offsets(d Dtype) []numpyField {
	fields := []numpyField{}
	for _, f := range d.fields {
		fields = append(fields, numpyField{f.name, f.offset, offsets(f.dtype)})
	}
	return fields
}

// pythonWithNumPy is a Python interpreter that has NumPy, or empty.
func pythonWithNumPy() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() == nil {
			return python
		}
	}
	return ""
}
