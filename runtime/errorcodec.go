package jobgen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// RemoteError is an error that a job returned in another process, and whose type cannot come along: it is not
// marked //jobgen:error.
// errors.Is finds what it wraps of the errors that both processes know: the variables of packages bufio, bytes, context,
// errors, io, io/fs, net, os, os/exec and strconv, the numbers of syscall, jobgen's own, and those given to [RegisterError].
// Variables of other packages, also of the standard library's, have to be given to it.
type RemoteError struct {
	Type string  // of the error there: "*csv.ParseError"
	Text string  // what its Error method returned
	Errs []error // what it unwraps to
}

func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns Errs.
func (e *RemoteError) Unwrap() []error { return e.Errs }

// wireError is an error on its way. Which fields are set says what it is; failures are rare, so it is JSON.
type wireError struct {
	Sentinel string           `json:",omitempty"`
	Errno    uint64           `json:",omitempty"`
	Panic    *wirePanic       `json:",omitempty"`
	Timeout  *wireTimeout     `json:",omitempty"`
	Lost     *WorkerLostError `json:",omitempty"`
	Fault    *wireFault       `json:",omitempty"`
	Job      *wireJob         `json:",omitempty"`
	Run      *wireRun         `json:",omitempty"`
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

// wireJob and wireRun are of a run that a job has made.
type wireJob struct {
	Index, Attempt int
	Worker, Job    string
	Err            *wireError
}

type wireRun struct {
	Jobs         []*wireError // each a wireJob
	NotRun, Size int
	Gaps         [][2]int64
	Cause        *wireError
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
	case *JobError:
		return &wireError{Job: &wireJob{e.Index, e.Attempt, e.Worker, e.Job, toWire(e.Err, depth)}}
	case *RunError:
		r := &wireRun{NotRun: e.NotRun, Size: e.jobs, Cause: toWire(e.Cause, depth)}
		for _, j := range e.Jobs {
			r.Jobs = append(r.Jobs, toWire(j, depth))
		}
		for _, g := range e.gaps {
			r.Gaps = append(r.Gaps, [2]int64{g.lo, g.hi})
		}
		return &wireError{Run: r}
	case *sharedmem.FaultError:
		return &wireError{Fault: &wireFault{e.What, uint64(e.Addr), toWire(e.Err, depth)}}
	}
	w := plainWire(err)
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
	return &wireError{Type: typeName(err), Text: text}
}

// typeName names the type that an error had in the process where it was made.
func typeName(err error) string {
	switch e := err.(type) {
	case *RemoteError:
		return e.Type
	case *endCause:
		return typeName(e.cause)
	}
	return fmt.Sprintf("%T", err)
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
	case w.Job != nil:
		return &JobError{Index: w.Job.Index, Attempt: w.Job.Attempt, Worker: w.Job.Worker, Job: w.Job.Job, Err: fromWire(w.Job.Err, depth)}
	case w.Run != nil:
		return runFromWire(w.Run, depth)
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

func runFromWire(w *wireRun, depth int) error {
	e := &RunError{NotRun: w.NotRun, jobs: w.Size, Cause: fromWire(w.Cause, depth)}
	for _, j := range w.Jobs {
		if job, ok := fromWire(j, depth).(*JobError); ok {
			e.Jobs = append(e.Jobs, job)
		}
	}
	for _, g := range w.Gaps {
		e.gaps = append(e.gaps, span{g[0], g[1]})
	}
	e.gaps = e.gaps.tidy()
	slices.SortFunc(e.Jobs, func(a, b *JobError) int { return cmp.Compare(a.Index, b.Index) })
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
