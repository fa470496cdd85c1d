package wire

import (
	"fmt"
	"reflect"
)

// OnlyExported returns an error if an unexported field of the struct behind p is set. It would not travel, and
// the worker on the other side would be another one than the caller has configured.
func OnlyExported[T any](p *T) error {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); !f.IsExported() && f.Name != "_" && !v.Field(i).IsZero() {
			return fmt.Errorf("field %s is set, but unexported fields do not travel: set it in Setup", f.Name)
		}
	}
	return nil
}
