package jobgen

import (
	"math"
	"reflect"
)

// setNaN makes *p not a number if it is a floating-point or complex number; with fields also each
// such field of a struct.
func setNaN(p any, fields bool) {
	v := reflect.ValueOf(p).Elem()
	setNaNValue(v)
	if fields && v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				setNaNValue(f)
			}
		}
	}
}

func setNaNValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		v.SetFloat(math.NaN())
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(math.NaN(), math.NaN()))
	}
}
