package main

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// The program that TestRandomTypes runs beside generated code. There is a worker All with many parameters of
// random types.

var r *rand.Rand

func main() {
	seed, _ := strconv.ParseUint(os.Args[1], 10, 64)
	r = rand.New(rand.NewPCG(seed, 1))
	w := settings().Wire
	config, err := w.Config(nil)
	if err != nil {
		fail("Config: %v", err)
	}
	if _, err := w.Configured(config); err != nil {
		fail("Configured: %v", err)
	}
	if _, err := w.Configured(append(config, 0)); err == nil {
		fail("Configured takes a byte too many")
	}
	for range 300 {
		var in AllJob
		fillSome(reflect.ValueOf(&in).Elem())
		b, err := w.AppendIn(nil, in)
		if err != nil {
			fail("AppendIn: %v", err)
		}
		got, rest, err := w.ReadIn(append(b[:len(b):len(b)], 1, 2, 3))
		if err != nil || len(rest) != 3 {
			fail("ReadIn: %v, %d bytes left", err, len(rest))
		}
		if where := differ(reflect.ValueOf(&in).Elem(), reflect.ValueOf(&got).Elem()); where != "" {
			fail("AllJob%s is not what it was", where)
		}
		for range 20 {
			hostile(w.ReadIn, w.AppendIn, b)
		}
	}
	if w.AppendIns != nil {
		together(w)
	}
}

// together checks that many inputs in one call are what they are one by one.
func together(w *jobgen.Wire[AllJob, struct{}]) {
	in := make([]AllJob, 20)
	for i := range in {
		fillSome(reflect.ValueOf(&in[i]).Elem())
	}
	b, ends := w.AppendIns(nil, in, nil, 1<<30)
	if len(ends) != len(in) || ends[len(in)-1] != len(b) {
		fail("AppendIns: %d ends for %d inputs", len(ends), len(in))
	}
	got := make([]AllJob, len(in))
	n, rest, err := w.ReadIns(append(b[:len(b):len(b)], 1, 2, 3), got)
	if n != len(in) || len(rest) != 3 || err != nil {
		fail("ReadIns: %d of %d, %d bytes left, %v", n, len(in), len(rest), err)
	}
	for i, end := range ends {
		if where := differ(reflect.ValueOf(&in[i]).Elem(), reflect.ValueOf(&got[i]).Elem()); where != "" {
			fail("AllJob%s of %d is not what it was", where, i)
		}
		start := 0
		if i > 0 {
			start = ends[i-1]
		}
		one, rest, err := w.ReadIn(b[start:end])
		if err != nil || len(rest) > 0 {
			fail("ReadIn of %d: %v, %d bytes left", i, err, len(rest))
		}
		if where := differ(reflect.ValueOf(&in[i]).Elem(), reflect.ValueOf(&one).Elem()); where != "" {
			fail("AllJob%s of %d is not what it was, read alone", where, i)
		}
	}
}

// settings calls specAll, whatever the types of the bound parameters, with random values.
func settings() jobgen.Spec[AllJob, struct{}] {
	f := reflect.ValueOf(specAll)
	var args []reflect.Value
	for i := range f.Type().NumIn() {
		v := reflect.New(f.Type().In(i)).Elem()
		fill(v, 4)
		args = append(args, v)
	}
	return f.Call(args)[0].Interface().(jobgen.Spec[AllJob, struct{}])
}

func fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

// hostile tampers with a message. Decoding it may fail, but in no other way than with an error, and must
// not allocate much more than the message's length.
func hostile(read func([]byte) (AllJob, []byte, error), write func([]byte, AllJob) ([]byte, error), msg []byte) {
	b := append([]byte(nil), msg...)
	for range 1 + r.IntN(3) {
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b = b[:i+1]
		case 1:
			b[i] = 0xff
		case 2:
			b[i] ^= 1 << r.IntN(8)
		case 3:
			copy(b[i:], "\xff\xff\xff\xff\x0f")
		case 4:
			b = append(b[:i:i], b[min(len(b)-1, i+r.IntN(9)):]...)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, _, err := read(b)
	runtime.ReadMemStats(&after)
	ceiling := 64*len(b) + 512<<10 + 4*int(unsafe.Sizeof(in))
	if n := int(after.TotalAlloc - before.TotalAlloc); n > ceiling {
		fail("%d bytes made the decoder allocate %d", len(b), n)
	}
	if err == nil {
		if _, err := write(nil, in); err != nil {
			fail("what was decoded cannot be encoded: %v", err)
		}
	}
}

// fillSome fills some of a struct's fields, so that messages are short and tampering reaches all.
func fillSome(v reflect.Value) {
	part := r.IntN(10)
	for i := range v.NumField() {
		if r.IntN(10) <= part {
			fill(v.Field(i), 4)
		}
	}
}

// field is a field that can be read and set, exported or not.
func field(v reflect.Value, i int) reflect.Value {
	f := v.Field(i)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

func fill(v reflect.Value, depth int) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(r.Int64N(1e10), r.Int64N(1e9)).UTC()
		return
	case *big.Int:
		p.SetInt64(r.Int64()-r.Int64()).Lsh(p, uint(r.IntN(100)))
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{1, 2, 3, byte(r.IntN(256))})
		return
	}
	n := min(depth, r.IntN(5))
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(int64(r.Uint64()) >> (r.IntN(64)))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint, reflect.Uintptr:
		v.SetUint(r.Uint64() >> (r.IntN(64)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), r.NormFloat64()}[r.IntN(5)])
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(r.NormFloat64(), math.NaN()))
	case reflect.String:
		v.SetString("ä\x00string of some length"[:r.IntN(20)])
	case reflect.Slice:
		v.SetZero()
		if n > 0 {
			n--
			v.Set(reflect.MakeSlice(v.Type(), n, n+r.IntN(2)))
			for i := range n {
				fill(v.Index(i), depth-1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), depth-1)
		}
	case reflect.Map:
		v.SetZero()
		if n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n - 1 {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(key, depth-1)
				fill(value, depth-1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		v.SetZero()
		if n > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(field(v, i), depth-1)
			}
		}
	}
}

// differ says where two values differ; "" if they do not. A NaN is equal to itself.
func differ(a, b reflect.Value) string {
	switch p := a.Addr().Interface().(type) {
	case *time.Time:
		if *p != b.Interface() {
			return " (a time)"
		}
		return ""
	case *big.Int:
		if p.Cmp(b.Addr().Interface().(*big.Int)) != 0 {
			return " (a big integer)"
		}
		return ""
	case *netip.Addr:
		if *p != b.Interface() {
			return " (an address)"
		}
		return ""
	}
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		if math.Float64bits(a.Float()) != math.Float64bits(b.Float()) {
			return fmt.Sprintf(" (%v, %v)", a, b)
		}
	case reflect.Complex64, reflect.Complex128:
		x, y := a.Complex(), b.Complex()
		if fmt.Sprint(x) != fmt.Sprint(y) {
			return fmt.Sprintf(" (%v, %v)", x, y)
		}
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			return " (one of them is nil)"
		}
		return inside(a, b)
	case reflect.Array:
		return inside(a, b)
	case reflect.Struct:
		for i := range a.NumField() {
			if name := a.Type().Field(i).Name; name != "_" {
				if where := differ(field(a, i), field(b, i)); where != "" {
					return "." + name + where
				}
			}
		}
	default:
		if a.Interface() != b.Interface() {
			return fmt.Sprintf(" (%v, %v)", a, b)
		}
	}
	return ""
}

func inside(a, b reflect.Value) string {
	switch {
	case a.Kind() == reflect.Pointer:
		if a.IsNil() {
			return ""
		}
		return differ(a.Elem(), b.Elem())
	case a.Len() != b.Len():
		return fmt.Sprintf(" (%d elements, %d)", a.Len(), b.Len())
	case a.Kind() != reflect.Map:
		for i := range a.Len() {
			if where := differ(a.Index(i), b.Index(i)); where != "" {
				return fmt.Sprintf("[%d]%s", i, where)
			}
		}
		return ""
	}
	for _, k := range a.MapKeys() {
		v := b.MapIndex(k)
		if !k.Equal(k) {
			continue // there is a NaN in it, so it finds nothing
		}
		if !v.IsValid() {
			return fmt.Sprintf("[%v] (is missing)", k)
		}
		if where := differ(settable(a.MapIndex(k)), settable(v)); where != "" {
			return fmt.Sprintf("[%v]%s", k, where)
		}
	}
	return ""
}

func settable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}
