package npy

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// DtypeOf returns the dtype with the memory layout of t on this machine, and the axes that t adds to
// the shape of an array of t. These are none, unless t is itself an array: as in NumPy, a slice of n
// [2][3]float64 is an array of float64 with the shape (n, 2, 3).
//
// Fields of a structure keep their Go names, exported or not; a tag `npy:"name"` names them otherwise.
// Blank fields without a tag, and the gaps between fields, are padding. A type that holds a pointer
// has no dtype; neither has one without a size. The error names the part that is to blame.
func DtypeOf(t reflect.Type) (dt Dtype, dims []int, err error) {
	if t == nil {
		return Dtype{}, nil, errors.New("there is no Go type: the value is nil")
	}
	elem := t
	for elem.Kind() == reflect.Array {
		dims = append(dims, elem.Len())
		elem = elem.Elem()
	}
	dt, err = dtypeOf(elem, "", 0)
	switch {
	case err != nil:
	case t.Size() == 0:
		err = errors.New("its values have no size, so there is nothing to store")
	case len(dims) > maxDims:
		err = fmt.Errorf("it has %d axes; NumPy's arrays have at most %d", len(dims), maxDims)
	}
	if err != nil {
		return Dtype{}, nil, fmt.Errorf("the Go type %v has no NumPy dtype: %w", t, err)
	}
	return dt, dims, nil
}

// dtypeOf does it for the part of a type at path.
func dtypeOf(t reflect.Type, path string, depth int) (Dtype, error) {
	d := Dtype{order: native, size: int64(t.Size())}
	if d.size == 1 {
		d.order = '|'
	}
	help := ""
	switch t.Kind() {
	case reflect.Bool:
		d.kind = 'b'
		return d, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.kind = 'i'
		return d, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.kind = 'u'
		return d, nil
	case reflect.Float32, reflect.Float64:
		d.kind = 'f'
		return d, nil
	case reflect.Complex64, reflect.Complex128:
		d.kind = 'c'
		return d, nil
	case reflect.Struct:
		return structOf(t, path, depth)
	case reflect.String:
		help = "; an array such as [16]byte keeps its text in place"
	case reflect.Slice:
		help = "; an array keeps its elements in place"
	}
	part := "it"
	if path != "" {
		part = fmt.Sprintf("its field %s, of type %v,", path, t)
	}
	return Dtype{}, fmt.Errorf("%s holds a pointer, and a pointer means nothing in a file%s", part, help)
}

func structOf(t reflect.Type, path string, depth int) (Dtype, error) {
	if depth == maxDepth {
		return Dtype{}, fmt.Errorf("it has structures nested more than %d deep", maxDepth)
	}
	d := Dtype{kind: kindStruct, order: '|', size: int64(t.Size())}
	names := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("npy")
		padding := f.Name == "_" && tag == ""
		if padding && f.Type.Size() == 0 {
			continue // a marker, such as structs.HostLayout or [0]func()
		}
		at := strings.TrimPrefix(path+"."+f.Name, ".")
		elem := f.Type
		var dims []int
		for elem.Kind() == reflect.Array {
			dims = append(dims, elem.Len())
			elem = elem.Elem()
		}
		if len(dims) > maxDims {
			return Dtype{}, fmt.Errorf("its field %s has %d axes; NumPy's arrays have at most %d",
				at, len(dims), maxDims)
		}
		if len(dims) > 0 {
			at += "[]"
		}
		dt, err := dtypeOf(elem, at, depth+1)
		if err != nil {
			return Dtype{}, err
		}
		if padding {
			continue
		}
		name := f.Name
		if tag != "" {
			name = tag
		}
		if !utf8.ValidString(name) {
			return Dtype{}, fmt.Errorf("the tag of its field %s is not valid UTF-8", at)
		}
		if names[name] {
			return Dtype{}, fmt.Errorf("two of its fields have the name %s; a tag `npy:\"name\"` changes one",
				show(name))
		}
		names[name] = true
		d.fields = append(d.fields, field{name: name, offset: int64(f.Offset), dtype: dt, dims: dims})
	}
	return d, nil
}
