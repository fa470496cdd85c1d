package jobgen

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// ErrorType describes an error type whose values reach other processes as what they are, so that errors.As
// finds them there. It is filled in by generated code for a type marked //jobgen:error, which hands it to
// [RegisterErrorType].
type ErrorType[T any] struct {
	// Type is the import path and name: "example.com/stats.TooFewError".
	Type string

	// Form changes whenever something else travels, or in another form.
	Form uint64

	// Append appends what travels of the value behind e, without the errors that it holds. It is nil if
	// that is nothing.
	Append func(b []byte, e *T) ([]byte, error)

	// Read fills in the value behind e, which is zero, from all of b. It is nil if Append is.
	Read func(b []byte, e *T) error

	// Errors calls visit for each error that the value holds: its fields of type error, and the elements
	// of those of type []error. It is nil if the type has none.
	Errors func(e *T, visit func(*error))
}

// RegisterErrorType makes an error type known to other processes of the same program: values of T if they are
// errors, and pointers to them. It is called by the init functions of generated code.
func RegisterErrorType[T any](t ErrorType[T]) {
	_, value := any(*new(T)).(error)
	_, pointer := any(new(T)).(error)
	if value {
		errorTypes.Store(reflect.TypeFor[T](), &t)
	}
	if pointer {
		errorTypes.Store(reflect.TypeFor[*T](), &t)
		errorTypesByName.Store(t.Type, &t)
	}
}

// errorTypes and errorTypesByName have the registered types, by the reflect.Type of an error and by name.
var errorTypes, errorTypesByName sync.Map // of errorType

// errorType is an ErrorType of whatever T.
type errorType interface {
	pack(err error) (w *wireTyped, held []error, fail error)
	unpack(w *wireTyped, held []error) (error, error)
}

// wireTyped is an error of a registered type on its way.
type wireTyped struct {
	Type    string
	Form    uint64       `json:",omitempty"`
	Pointer bool         `json:",omitempty"` // it is a *T
	Nil     bool         `json:",omitempty"` // a nil pointer, which is an error all the same
	Data    []byte       `json:",omitempty"`
	Errs    []*wireError `json:",omitempty"` // the errors that it holds, null where there is none
}

// pack takes an error apart. A method of the user's may fail to encode it, or panic.
func (t *ErrorType[T]) pack(err error) (w *wireTyped, held []error, fail error) {
	defer recovered(&fail)
	w = &wireTyped{Type: t.Type, Form: t.Form}
	var e *T
	switch v := any(err).(type) {
	case *T:
		e, w.Pointer = v, true
	case T:
		e = &v
	}
	if e == nil {
		w.Nil = true
		return w, nil, nil
	}
	if t.Append != nil {
		if w.Data, fail = t.Append(nil, e); fail != nil {
			return nil, nil, fail
		}
	}
	if t.Errors != nil {
		t.Errors(e, func(p *error) { held = append(held, *p) })
	}
	return w, held, nil
}

// unpack puts an error together again.
func (t *ErrorType[T]) unpack(w *wireTyped, held []error) (_ error, fail error) {
	defer recovered(&fail)
	if w.Form != t.Form {
		return nil, errors.New("the two processes have different versions of the type")
	}
	e := new(T)
	switch {
	case w.Nil && w.Pointer:
		e = nil
	case t.Read != nil:
		if err := t.Read(w.Data, e); err != nil {
			return nil, err
		}
	}
	if e != nil && t.Errors != nil {
		i := 0
		t.Errors(e, func(p *error) {
			if i < len(held) {
				*p = held[i]
			}
			i++
		})
		if i != len(held) {
			return nil, fmt.Errorf("it holds %d errors, and %d have come", i, len(held))
		}
	}
	var v any = e
	if !w.Pointer {
		v = *e
	}
	err, ok := v.(error)
	if !ok {
		return nil, fmt.Errorf("%T is no error", v)
	}
	return err, nil
}

// recovered, deferred, turns a panic of the user's own methods into an error.
func recovered(fail *error) {
	if v := recover(); v != nil {
		*fail = fmt.Errorf("panic: %v", v)
	}
}

// typedToWire encodes an error of a registered type. It returns nil for any other, and for one whose own
// method fails, which then goes as a text.
func typedToWire(err error, depth int) *wireTyped {
	t, ok := errorTypes.Load(reflect.TypeOf(err))
	if !ok {
		return nil
	}
	w, held, fail := t.(errorType).pack(err)
	if fail != nil {
		return nil
	}
	for _, inner := range held {
		w.Errs = append(w.Errs, toWire(inner, depth))
	}
	return w
}

// typedFromWire is nil for an error that this process cannot put together. held is what it holds, to be
// used then.
func typedFromWire(w *wireTyped, depth int) (held []error, err error) {
	for _, inner := range w.Errs {
		held = append(held, fromWire(inner, depth))
	}
	t, ok := errorTypesByName.Load(w.Type)
	if !ok {
		return held, nil
	}
	if err, fail := t.(errorType).unpack(w, held); fail == nil {
		return held, err
	}
	return held, nil
}
