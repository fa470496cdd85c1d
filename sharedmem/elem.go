package sharedmem

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// elem is what has to be known of an element type.
type elem struct {
	typ    reflect.Type
	size   int
	layout uint64 // a hash of the memory layout: kinds, sizes and offsets, not names
	err    error  // why arrays cannot have such elements
}

// elems holds the *elem of each reflect.Type.
var elems sync.Map

func elemOf[T any]() (*elem, error) {
	t := reflect.TypeFor[T]()
	e, ok := elems.Load(t)
	if !ok {
		e, _ = elems.LoadOrStore(t, newElem(t))
	}
	return e.(*elem), e.(*elem).err
}

func newElem(t reflect.Type) *elem {
	e := &elem{typ: t, size: int(t.Size())}
	var d strings.Builder
	if path, why := layout(&d, t, t.String()); why != "" {
		e.err = &TypeError{Type: t, Path: path, Reason: why}
	} else if e.size == 0 {
		e.err = &TypeError{Type: t, Path: t.String(), Reason: "has no size"}
	}
	h := fnv.New64a()
	h.Write([]byte(d.String()))
	e.layout = h.Sum64()
	return e
}

// layout writes how a type lies in memory. If there is a pointer in it, it returns where, and which.
func layout(d *strings.Builder, t reflect.Type, path string) (where, why string) {
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		d.WriteString(k.String())
	case reflect.Array:
		fmt.Fprintf(d, "[%d]", t.Len())
		return layout(d, t.Elem(), path+"[i]")
	case reflect.Struct:
		d.WriteByte('{')
		for i := range t.NumField() {
			f := t.Field(i)
			d.WriteString(strconv.FormatUint(uint64(f.Offset), 10))
			d.WriteByte(':')
			if where, why := layout(d, f.Type, path+"."+f.Name); why != "" {
				return where, why
			}
		}
		fmt.Fprintf(d, "}%d", t.Size())
	case reflect.String:
		return path, "is a string, which points to its text; use an array of bytes of a fixed length"
	case reflect.Slice:
		return path, "is a slice, which points to its elements; give the array another dimension, or use a Go array"
	default:
		return path, fmt.Sprintf("is a %s, which holds a pointer", kindName(t))
	}
	return "", ""
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer:
		return "pointer"
	case reflect.Chan:
		return "channel"
	default:
		return t.Kind().String()
	}
}
