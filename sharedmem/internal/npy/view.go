package npy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CheckView tells whether elements of dtype d, from a file, can be viewed in place as elements of
// dtype goType, which [DtypeOf] made. It returns nil if they can, and else an error that says how
// the two differ and what helps.
//
// Fields have to agree in name, order, type and place. Dates and times can be viewed as int64, which
// is what they are. The alignment of the data and the shape of the array are for the caller to check,
// and so is, in a file that may be hostile, that each byte of a bool is 0 or 1.
func (d Dtype) CheckView(goType Dtype) error { return d.checkView(goType, "") }

// checkView does it for the field at path, or the element itself.
func (d Dtype) checkView(want Dtype, path string) error {
	if d.kind == kindStruct && want.kind == kindStruct {
		return d.checkFields(want, path)
	}
	file := "the file holds " + d.describe()
	if path != "" {
		file = fmt.Sprintf("in the field %s %s", show(path), file)
	}
	if d.kind == kindStruct || want.kind == kindStruct {
		return fmt.Errorf("%s, not %s", file, want.describe())
	}
	if d.goName() == "" {
		help := "convert it before saving"
		switch {
		case path != "":
		case d.kind == 'f' || d.kind == 'c':
			help = fmt.Sprintf("convert it with a.astype('%c%c%d')", native, d.kind, min(max(d.size, 4), d.maxSize()))
		case d.kind == 'U':
			help = fmt.Sprintf("save the codes of its characters, a.view('%cu4')", d.order)
		default:
			help = "save its bytes, a.view('u1')"
		}
		return fmt.Errorf("%s, for which Go has no type; %s", file, help)
	}

	kind := d.kind
	if kind == 'M' || kind == 'm' {
		kind = 'i'
	}
	swapped := d.order != '|' && d.order != native
	alike := kind == want.kind && d.size == want.size
	switch convert := "convert it with a.astype('" + want.String() + "')"; {
	case alike && !swapped:
		return nil
	case alike && (path != "" || kind != d.kind):
		return fmt.Errorf("%s; convert it with a.astype(a.dtype.newbyteorder('%c'))", file, native)
	case alike:
		return fmt.Errorf("%s; %s", file, convert)
	case path != "":
		return fmt.Errorf("%s, not %s", file, want.describe())
	case swapped:
		return fmt.Errorf("%s, not %s; %s", file, want.describe(), convert)
	default:
		return fmt.Errorf("%s, not %s; use %s in Go, or %s", file, want.describe(), d.goName(), convert)
	}
}

// checkFields does it for two structures.
func (d Dtype) checkFields(want Dtype, path string) error {
	fail := func(format string, args ...any) error {
		msg := fmt.Sprintf(format, args...)
		if path != "" {
			msg = fmt.Sprintf("in the field %s: %s", show(path), msg)
		}
		return errors.New(msg)
	}
	if len(d.fields) != len(want.fields) {
		return fail("the file holds %s; the Go type is %s", d.describe(), want.describe())
	}
	for i, f := range d.fields {
		w := want.fields[i]
		if f.name != w.name {
			return fail("field %d has the name %s in the file and %s in the Go type; "+
				"names and their order have to agree, and a tag such as `npy:\"x\"` names a field of the Go type",
				i+1, show(f.name), show(w.name))
		}
		if err := f.dtype.checkView(w.dtype, strings.TrimPrefix(path+"."+f.name, ".")); err != nil {
			return err
		}
		if !slices.Equal(f.dims, w.dims) {
			return fail("the field %s has %s in the file and %s in the Go type",
				show(f.name), values(f.dims), values(w.dims))
		}
		if f.offset != w.offset {
			return fail("the field %s begins at byte %d in the file and at byte %d in the Go type; %s",
				show(f.name), f.offset, w.offset, helpLayout(f.offset, w.offset))
		}
	}
	if d.size != want.size {
		return fail("an element has %d bytes in the file and %d in the Go type; %s",
			d.size, want.size, helpLayout(d.size, want.size))
	}
	return nil
}

// values says what a field of the given shape has.
func values(dims []int) string {
	if len(dims) == 0 {
		return "one value"
	}
	return "the shape " + tuple(dims)
}

// helpLayout says how to move what is at different places in the file and in Go.
func helpLayout(file, goType int64) string {
	if file < goType {
		return "NumPy leaves gaps between fields as Go does if the dtype is made with align=True"
	}
	return fmt.Sprintf("a field _ [%d]byte in the Go type can fill the gap", file-goType)
}

// describe names the dtype for a reader who knows NumPy's long names rather than its short ones.
func (d Dtype) describe() string {
	if d.kind == kindStruct {
		return d.describeFields()
	}
	var name string
	switch bits := d.size * 8; d.kind {
	case 0:
		return "no dtype"
	case 'b':
		name = "bool"
	case 'i':
		name = fmt.Sprintf("int%d", bits)
	case 'u':
		name = fmt.Sprintf("uint%d", bits)
	case 'f':
		name = fmt.Sprintf("float%d", bits)
	case 'c':
		name = fmt.Sprintf("complex%d", bits)
	case 'M':
		name = "datetime64" + d.unit
	case 'm':
		name = "timedelta64" + d.unit
	case 'S':
		name = count(d.size, "byte") + " of text"
	case 'U':
		name = count(d.size/4, "character") + " of text"
	case 'V':
		name = count(d.size, "raw byte")
	}
	if (d.kind == 'f' || d.kind == 'c') && d.size > d.maxSize() {
		name += ", a long double"
	}
	if d.order != '|' && d.order != native {
		name = map[byte]string{'<': "little-endian ", '>': "big-endian "}[d.order] + name
	}
	return d.scalar() + " (" + name + ")"
}

func (d Dtype) describeFields() string {
	const shown = 8
	if len(d.fields) == 0 {
		return "a structure without fields"
	}
	names := make([]string, 0, shown)
	for _, f := range d.fields[:min(len(d.fields), shown)] {
		names = append(names, show(f.name))
	}
	text := fmt.Sprintf("a structure of %s: %s", count(int64(len(d.fields)), "field"), strings.Join(names, ", "))
	if len(d.fields) > shown {
		text += ", ..."
	}
	return text
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// goName is Go's name for the type, if it has one.
func (d Dtype) goName() string {
	bits := d.size * 8
	switch d.kind {
	case 'b':
		return "bool"
	case 'i':
		return fmt.Sprintf("int%d", bits)
	case 'u':
		return fmt.Sprintf("uint%d", bits)
	case 'f':
		if d.size >= 4 && d.size <= d.maxSize() {
			return fmt.Sprintf("float%d", bits)
		}
	case 'c':
		if d.size <= d.maxSize() {
			return fmt.Sprintf("complex%d", bits)
		}
	case 'M', 'm':
		return "int64"
	}
	return ""
}

// maxSize is the size of the largest floating-point or complex type of Go.
func (d Dtype) maxSize() int64 {
	if d.kind == 'c' {
		return 16
	}
	return 8
}
