package jobgen

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jobgen/jobgen/sharedmem"
)

// describe shows a job as a call: the worker's short name and its input. It never calls the user's
// code, and takes the same short time for an input of any size. An input in memory that is no longer there
// (which may be why the job has failed) is not shown.
func describe(name string, in any) string {
	d := description{left: 96}
	d.text(shortName(name))
	d.text("(")
	d.readable(reflect.ValueOf(in))
	d.text(")")
	return d.b.String()
}

func (d *description) readable(v reflect.Value) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if sharedmem.Explain(r) == nil {
				panic(r)
			}
			d.text("…")
		}
	}()
	d.value(v, 0)
}

// shortName is the last element of an import path with the name after it: "stats.Variance". Type arguments, which
// have paths of their own, are kept as they are.
func shortName(name string) string {
	path, _, _ := strings.Cut(name, "[")
	return name[strings.LastIndexByte(path, '/')+1:]
}

// description is a text that may grow by left bytes.
type description struct {
	b    strings.Builder
	left int
}

const (
	describedElems = 3
	describedDepth = 3
	describedText  = 64
)

func (d *description) text(s string) { d.b.WriteString(s); d.left -= len(s) }

func (d *description) value(v reflect.Value, depth int) {
	if d.left <= 0 || depth > describedDepth {
		d.text("…")
		return
	}
	switch v.Kind() {
	case reflect.Invalid:
		d.text("nil")
	case reflect.Bool:
		d.text(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.text(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.text(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		d.text(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	case reflect.Complex64, reflect.Complex128:
		d.text(strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits()))
	case reflect.String:
		d.quoted(v.String())
	case reflect.Slice, reflect.Array:
		d.elements(v, depth)
	case reflect.Struct:
		switch {
		case v.Type().PkgPath() == arrayPackage:
			d.array(v)
			return
		case v.Type() == reflect.TypeFor[time.Time]() && v.CanInterface():
			d.text(v.Interface().(time.Time).Format(time.RFC3339Nano))
			return
		}
		d.fields(v, depth)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			d.text("nil")
			return
		}
		if v.Kind() == reflect.Pointer {
			d.text("&")
		}
		d.value(v.Elem(), depth+1)
	case reflect.Map:
		d.text(v.Type().String() + " of " + strconv.Itoa(v.Len()))
	default:
		d.text(v.Type().String())
	}
}

var arrayPackage = reflect.TypeFor[sharedmem.Arena]().PkgPath()

// array names a sharedmem.Array: its elements may be gone.
func (d *description) array(v reflect.Value) {
	if v.CanInterface() {
		if s, ok := v.Interface().(fmt.Stringer); ok {
			d.text(s.String())
			return
		}
	}
	d.text(v.Type().String())
}

func (d *description) quoted(s string) {
	if len(s) <= describedText {
		d.text(strconv.Quote(s))
		return
	}
	cut := describedText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	d.text(strconv.Quote(s[:cut]) + "… (" + strconv.Itoa(len(s)) + " bytes)")
}

func (d *description) elements(v reflect.Value, depth int) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		d.text("nil")
		return
	}
	d.text("[")
	n := v.Len()
	for i := range min(n, describedElems) {
		if i > 0 {
			d.text(" ")
		}
		d.value(v.Index(i), depth+1)
	}
	if n > describedElems {
		d.text(" … of " + strconv.Itoa(n))
	}
	d.text("]")
}

func (d *description) fields(v reflect.Value, depth int) {
	d.text("{")
	for i := range v.NumField() {
		if i > 0 {
			d.text(" ")
		}
		d.text(v.Type().Field(i).Name + ":")
		d.value(v.Field(i), depth+1)
		if d.left <= 0 {
			break
		}
	}
	d.text("}")
}
