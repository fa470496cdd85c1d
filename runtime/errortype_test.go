package jobgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/jobgen/jobgen/runtime/wire"
)

// typedError is an error type with a method on its pointer, as generated code registers it.
type typedError struct {
	Code  int
	Names []string
	Err   error
	More  []error
}

func (e *typedError) Error() string   { return fmt.Sprint("code ", e.Code, ": ", e.Err) }
func (e *typedError) Unwrap() []error { return append([]error{e.Err}, e.More...) }

// numberError is one with a method on its value.
type numberError int

func (e numberError) Error() string { return fmt.Sprint("number ", int(e)) }

// holderError is a value that holds an error.
type holderError struct{ error }

func (e holderError) Unwrap() error { return e.error }

// emptyError has no content.
type emptyError struct{}

func (emptyError) Error() string { return "empty" }

// moodyError encodes itself, if it can.
type moodyError struct{ mood string }

func (e moodyError) Error() string { return e.mood }

func init() {
	RegisterErrorType(ErrorType[typedError]{
		Type: "example.com/m.typedError", Form: 1,
		Append: func(b []byte, e *typedError) ([]byte, error) {
			b = wire.AppendSlice(wire.AppendInt(b, &e.Code), &e.Names, wire.AppendString)
			return wire.AppendSlice(b, &e.More, wire.AppendPlace), nil
		},
		Read: func(b []byte, e *typedError) error {
			d := wire.Decode(b)
			wire.ReadInt(&d, &e.Code)
			wire.ReadSlice(&d, &e.Names, wire.ReadString)
			wire.ReadSlice(&d, &e.More, wire.ReadPlace)
			return d.End()
		},
		Errors: func(e *typedError, visit func(*error)) {
			visit(&e.Err)
			for i := range e.More {
				visit(&e.More[i])
			}
		},
	})
	RegisterErrorType(ErrorType[numberError]{
		Type:   "example.com/m.numberError",
		Append: func(b []byte, e *numberError) ([]byte, error) { return wire.AppendInt(b, e), nil },
		Read: func(b []byte, e *numberError) error {
			d := wire.Decode(b)
			wire.ReadInt(&d, e)
			return d.End()
		},
	})
	RegisterErrorType(ErrorType[holderError]{
		Type:   "example.com/m.holderError",
		Errors: func(e *holderError, visit func(*error)) { visit(&e.error) },
	})
	RegisterErrorType(ErrorType[emptyError]{Type: "example.com/m.emptyError"})
	RegisterErrorType(ErrorType[moodyError]{
		Type: "example.com/m.moodyError",
		Append: func(b []byte, e *moodyError) ([]byte, error) {
			switch e.mood {
			case "fail":
				return nil, io.ErrShortWrite
			case "panic":
				panic("no")
			}
			return append(b, e.mood...), nil
		},
		Read: func(b []byte, e *moodyError) error {
			if string(b) == "panics there" {
				panic("no")
			}
			e.mood = string(b)
			return nil
		},
	})
}

// Errors of registered types arrive as they are, wherever in a chain they stand.
func TestErrorTypes(t *testing.T) {
	typed := &typedError{Code: -7, Names: []string{"a", ""}, Err: io.EOF, More: []error{numberError(3), nil, context.Canceled}}
	number := numberError(5)
	for _, err := range []error{
		typed,
		&typedError{},
		&typedError{Err: &typedError{Code: 2, More: []error{}}},
		(*typedError)(nil),
		number,
		&number,
		holderError{io.EOF},
		holderError{holderError{&number}},
		holderError{},
		&holderError{typed},
		emptyError{},
		&emptyError{},
		moodyError{"fine"},
		&PanicError{Value: typed, Stack: []byte("stack")},
		&PanicError{Value: emptyError{}},
		&TimeoutError{Err: holderError{number}},
	} {
		if got := decodeError(encodeError(nil, err)); !reflect.DeepEqual(got, err) {
			t.Errorf("%#v became %#v", err, got)
		}
	}
}

func TestErrorTypesInChains(t *testing.T) {
	typed := &typedError{Code: 1, Err: fmt.Errorf("inner: %w", numberError(4))}
	err := fmt.Errorf("outer: %w", errors.Join(io.ErrClosedPipe, holderError{typed}))
	got := decodeError(encodeError(nil, err))
	var p *typedError
	var n numberError
	var h holderError
	if !errors.As(got, &p) || p.Code != 1 || !errors.As(got, &n) || n != 4 || !errors.As(got, &h) || !errors.Is(got, io.ErrClosedPipe) {
		t.Errorf("%v became %v", err, got)
	}
	if got.Error() != err.Error() {
		t.Errorf("the text is %q", got)
	}
	// A chain that leads back to itself comes to an end.
	if got := decodeError(encodeError(nil, loopError{})); got.Error() != "loop" {
		t.Errorf("got %v", got)
	}
	// What a value type holds need not be comparable.
	if got := decodeError(encodeError(nil, holderError{uncomparable{"x"}})); got.Error() != "[x]" {
		t.Errorf("got %v", got)
	}
}

// loopError wraps itself.
type loopError struct{}

func (e loopError) Error() string { return "loop" }
func (e loopError) Unwrap() error { return holderError{e} }

type uncomparable []string

func (u uncomparable) Error() string { return fmt.Sprint([]string(u)) }

// What cannot be encoded or put together arrives as a text, with what it holds.
func TestErrorTypesThatFail(t *testing.T) {
	for _, err := range []error{moodyError{"fail"}, moodyError{"panic"}, moodyError{"panics there"}} {
		var r *RemoteError
		if got := decodeError(encodeError(nil, err)); !errors.As(got, &r) || r.Text != err.Error() || r.Type != "jobgen.moodyError" {
			t.Errorf("%v became %#v", err, got)
		}
	}
	good := encodeError(nil, &typedError{Code: 1, Err: io.EOF})
	for from, to := range map[string]string{
		`m.typedError`:     `m.otherError`,
		`"Form":1`:         `"Form":2`,
		`"Pointer":true,`:  ``,
		`"Data":"`:         `"Data":"AAAA`,
		`,"Errs":[{"`:      `,"Errs":[null,{"`,
		`"Sentinel":"EOF"`: `"Sentinel":"EOF","Pointer":true}],"Errs":[null,null,{"Sentinel":"EOF"`,
	} {
		bad := strings.Replace(string(good), from, to, 1)
		if bad == string(good) {
			t.Fatalf("%s is not in %s", from, good)
		}
		got := decodeError([]byte(bad))
		var r *RemoteError
		if !errors.As(got, &r) || !errors.Is(got, io.EOF) || r.Type != "*jobgen.typedError" {
			t.Errorf("%s became %#v", bad, got)
		}
	}
	for _, bad := range []string{``, `{`, `[]`, `null`, `{"Typed":{}}`, `{"Typed":{"Type":"example.com/m.holderError","Nil":true}}`} {
		if decodeError([]byte(bad)) == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

// FuzzDecodeError gives any bytes to the decoder of errors. What comes out can be encoded again, and then stays the
// same.
func FuzzDecodeError(f *testing.F) {
	number := numberError(5)
	for _, err := range []error{
		&typedError{Code: -7, Names: []string{"a", ""}, Err: io.EOF, More: []error{numberError(3), nil, holderError{&number}}},
		fmt.Errorf("outer: %w", errors.Join(io.ErrClosedPipe, holderError{})),
		&PanicError{Value: emptyError{}, Stack: []byte("x")}, &PanicError{Value: 7}, &TimeoutError{Err: (*typedError)(nil)}, moodyError{"x"},
	} {
		f.Add(encodeError(nil, err))
	}
	// A message of a few bytes that announces many.
	many, _ := json.Marshal(&wireError{Typed: &wireTyped{Type: "example.com/m.typedError", Form: 1, Pointer: true,
		Data: []byte{2, 0, 0xff, 0xff, 0x3f, 0}}})
	f.Add(many)
	f.Add([]byte(strings.Repeat(`{"Errs":[`, 50)))
	f.Fuzz(func(t *testing.T, msg []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := decodeError(msg)
		runtime.ReadMemStats(&after)
		// The smallest error in a list takes three bytes, "{},", and some hundred in memory, with the list that
		// grows.
		if n := after.TotalAlloc - before.TotalAlloc; n > 300*uint64(len(msg))+64<<10 {
			t.Errorf("%d bytes made the decoder allocate %d", len(msg), n)
		}
		if err == nil {
			t.Fatal("no error")
		}
		first := encodeError(nil, err)
		second := encodeError(nil, decodeError(first))
		if string(first) != string(second) {
			t.Errorf("%s became %s", first, second)
		}
	})
}
