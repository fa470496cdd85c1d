package jobgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// RemoteError is an error that a job returned in another process, and whose type cannot come along: it is not
// marked //jobgen:error.
// errors.Is finds what it wraps of the errors that both processes know: those of the standard library,
// and those given to [RegisterError].
type RemoteError struct {
	Type string  // of the error there: "*csv.ParseError"
	Text string  // what its Error method returned
	Errs []error // what it unwraps to
}

func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns Errs.
func (e *RemoteError) Unwrap() []error { return e.Errs }

// RegisterError makes errors known by themselves on both sides, so that errors.Is holds for them when a
// job returns one, or wraps it, in another process. It is called with package-level variables, from
// init functions or their like, in the same order in all processes of a program.
func RegisterError(errs ...error) {
	sentinels.Lock()
	defer sentinels.Unlock()
	for _, err := range errs {
		sentinels.add(err)
	}
}

// sentinels are errors that are told apart by what they are, and not by what they say.
var sentinels = func() *sentinelTable {
	t := &sentinelTable{byName: map[string]error{}, names: map[error]string{}}
	for _, err := range []error{
		ErrGoexit, ErrNotRun,
		context.Canceled, context.DeadlineExceeded,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, io.ErrNoProgress, io.ErrShortBuffer, io.ErrShortWrite,
		fs.ErrInvalid, fs.ErrPermission, fs.ErrExist, fs.ErrNotExist, fs.ErrClosed, fs.SkipAll, fs.SkipDir,
		os.ErrDeadlineExceeded, os.ErrNoDeadline, os.ErrProcessDone,
		net.ErrClosed, net.ErrWriteToConnected,
		strconv.ErrRange, strconv.ErrSyntax, errors.ErrUnsupported,
		sharedmem.ErrClosed,
	} {
		t.add(err)
	}
	return t
}()

type sentinelTable struct {
	sync.RWMutex
	byName map[string]error
	names  map[error]string
}

// add names an error by what it says. A second one that says the same gets a number.
func (t *sentinelTable) add(err error) {
	if err == nil || !reflect.ValueOf(err).Comparable() || t.names[err] != "" {
		return
	}
	name := err.Error()
	for n := 2; t.byName[name] != nil; n++ {
		name = fmt.Sprintf("%s (%d)", err, n)
	}
	t.byName[name], t.names[err] = err, name
}

func (t *sentinelTable) name(err error) string {
	if !reflect.ValueOf(err).Comparable() { // of a comparable type a value may hold others in an interface
		return ""
	}
	t.RLock()
	defer t.RUnlock()
	return t.names[err]
}

func (t *sentinelTable) find(name string) error {
	t.RLock()
	defer t.RUnlock()
	return t.byName[name]
}

// wireError is an error on its way. Which fields are set says what it is; failures are rare, so it is JSON.
type wireError struct {
	Sentinel string           `json:",omitempty"`
	Errno    uint64           `json:",omitempty"`
	Panic    *wirePanic       `json:",omitempty"`
	Timeout  *wireTimeout     `json:",omitempty"`
	Lost     *WorkerLostError `json:",omitempty"`
	Fault    *wireFault       `json:",omitempty"`
	Typed    *wireTyped       `json:",omitempty"`
	Type     string           `json:",omitempty"`
	Text     string           `json:",omitempty"`
	Errs     []*wireError     `json:",omitempty"` // not beside Typed, which has its own
}

type wirePanic struct {
	Kind  string // of a value that is no error
	Value string
	Err   *wireError
	Stack []byte
}

type wireTimeout struct {
	Limit, Elapsed time.Duration
	Err            *wireError
}

type wireFault struct {
	What string
	Addr uint64
	Err  *wireError
}

// wireDepth is how far a chain of errors is followed.
const wireDepth = 32

// AppendError appends an encoded error to b, for a backend's own messages. The identity of errors is kept as far as
// it is between processes; see [RemoteError].
func AppendError(b []byte, err error) []byte { return encodeError(b, err) }

// ReadError decodes an error that AppendError has encoded. What cannot be decoded is an error that says so.
func ReadError(b []byte) error { return decodeError(b) }

func encodeError(b []byte, err error) []byte {
	text, jsonErr := json.Marshal(toWire(err, 0))
	if jsonErr != nil { // it has only strings and numbers
		text, _ = json.Marshal(plainWire(err))
	}
	return append(b, text...)
}

func decodeError(b []byte) error {
	var w wireError
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("an error that cannot be decoded: %w: %q", err, b)
	}
	return fromWire(&w, 0)
}

func toWire(err error, depth int) *wireError {
	if err == nil {
		return nil
	}
	if name := sentinels.name(err); name != "" {
		return &wireError{Sentinel: name}
	}
	if depth == wireDepth {
		return plainWire(err)
	}
	if n, ok := errnoOf(err); ok {
		return &wireError{Errno: n, Text: err.Error()}
	}
	depth++
	if t := typedToWire(err, depth); t != nil {
		w := plainWire(err)
		w.Typed = t
		return w
	}
	switch e := err.(type) {
	case *PanicError:
		p := &wirePanic{Stack: e.Stack}
		if v, ok := e.Value.(error); ok {
			p.Err = toWire(v, depth)
		} else {
			p.Kind, p.Value = panicValue(e.Value)
		}
		return &wireError{Panic: p}
	case *TimeoutError:
		return &wireError{Timeout: &wireTimeout{e.Limit, e.Elapsed, toWire(e.Err, depth)}}
	case *WorkerLostError:
		return &wireError{Lost: e}
	case *sharedmem.FaultError:
		return &wireError{Fault: &wireFault{e.What, uint64(e.Addr), toWire(e.Err, depth)}}
	}
	w := plainWire(err)
	switch e := err.(type) {
	case *RemoteError: // it has come from yet another process
		w.Type = e.Type
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			w.Errs = append(w.Errs, toWire(inner, depth))
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil {
				w.Errs = append(w.Errs, toWire(inner, depth))
			}
		}
	}
	// Some errors are others without wrapping them: fs.PathError's Errno is fs.ErrNotExist.
	return w
}

// plainWire is what is said of any error: its type and text. An Error method that panics, as that of a nil
// pointer may, is answered as fmt does it.
func plainWire(err error) *wireError {
	text := func() (text string) {
		defer func() {
			if v := recover(); v != nil {
				text = fmt.Sprintf("%v", err)
			}
		}()
		return err.Error()
	}()
	return &wireError{Type: fmt.Sprintf("%T", err), Text: text}
}

func fromWire(w *wireError, depth int) error {
	if w == nil || depth > wireDepth+1 {
		return nil
	}
	depth++
	switch {
	case w.Sentinel != "":
		if err := sentinels.find(w.Sentinel); err != nil {
			return err
		}
		return &RemoteError{Type: "error", Text: w.Sentinel}
	case w.Errno != 0:
		return errnoError(w.Errno, w.Text)
	case w.Panic != nil:
		e := &PanicError{Stack: w.Panic.Stack}
		if w.Panic.Err != nil {
			e.Value = fromWire(w.Panic.Err, depth)
		} else {
			e.Value = panicFrom(w.Panic.Kind, w.Panic.Value)
		}
		return e
	case w.Timeout != nil:
		return &TimeoutError{Limit: w.Timeout.Limit, Elapsed: w.Timeout.Elapsed, Err: fromWire(w.Timeout.Err, depth)}
	case w.Lost != nil:
		return w.Lost
	case w.Fault != nil:
		return &sharedmem.FaultError{What: w.Fault.What, Addr: uintptr(w.Fault.Addr), Err: fromWire(w.Fault.Err, depth)}
	}
	e := &RemoteError{Type: w.Type, Text: w.Text}
	if w.Typed != nil {
		held, err := typedFromWire(w.Typed, depth)
		if err != nil {
			return err
		}
		e.Errs = slices.DeleteFunc(held, func(err error) bool { return err == nil })
	}
	for _, inner := range w.Errs {
		if err := fromWire(inner, depth); err != nil {
			e.Errs = append(e.Errs, err)
		}
	}
	return e
}

// panicValue writes what was given to panic, if it is no error. Values of the basic kinds come back as
// they were, others as text.
func panicValue(v any) (kind, value string) {
	switch v := v.(type) {
	case string:
		return "string", v
	case bool, int, int64, uint64, float64:
		return fmt.Sprintf("%T", v), fmt.Sprint(v)
	}
	return "", fmt.Sprint(v)
}

func panicFrom(kind, value string) any {
	var v any
	var err error
	switch kind {
	case "bool":
		v, err = strconv.ParseBool(value)
	case "int":
		v, err = strconv.Atoi(value)
	case "int64":
		v, err = strconv.ParseInt(value, 10, 64)
	case "uint64":
		v, err = strconv.ParseUint(value, 10, 64)
	case "float64":
		v, err = strconv.ParseFloat(value, 64)
	default:
		return value
	}
	if err != nil {
		return value
	}
	return v
}
