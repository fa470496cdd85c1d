package jobtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Script is the suite's worker: each job does what its [Step] says.
type Script struct {
	Factor    float64 // each result is multiplied by it
	FailSetup Act     // Fail, Panic or Goexit
	FailClose bool
	OneByOne  bool // jobs are encoded one by one, as where that calls methods of the user's

	ready bool // set up
	dirty bool // a job on this instance has panicked
}

// Step is what a job does.
type Step struct {
	Act   Act
	Arg   int           // goes into the result
	Fails int           // how many attempts fail first, for Flaky
	Spin  time.Duration // how long the job keeps the processor busy before it acts
}

// Act is how a job ends.
type Act string

const (
	Succeed  Act = ""
	Fail     Act = "fail"      // an error that wraps io.ErrUnexpectedEOF
	Panic    Act = "panic"     // with a string
	PanicErr Act = "panic-err" // with io.ErrClosedPipe
	Goexit   Act = "goexit"
	Flaky    Act = "flaky" // Fail, until it has failed often enough
	Wait     Act = "wait"  // for the end of the context, whose error it returns
	Hold     Act = "hold"  // for the end of the context, and then Succeed
)

var (
	errSetup = errors.New("jobtest: the script's Setup fails")
	errClose = errors.New("jobtest: the script's Close fails")
)

// Setup makes the instance ready.
func (s *Script) Setup(context.Context) error {
	switch s.FailSetup {
	case Fail:
		return errSetup
	case Panic:
		panic(errSetup)
	case Goexit:
		runtime.Goexit()
	}
	s.ready = true
	return nil
}

// Close fails if it is to.
func (s *Script) Close() error {
	if s.FailClose {
		return errClose
	}
	return nil
}

// Do acts. The result depends on the step, the script's factor, and the job's random numbers.
func (s *Script) Do(ctx context.Context, step Step) (float64, error) {
	if !s.ready || s.dirty {
		return 0, fmt.Errorf("the instance is not fresh: ready %t, dirty %t", s.ready, s.dirty)
	}
	spin(step.Spin)
	switch step.Act {
	case Fail:
		return 1, fmt.Errorf("step %d: %w", step.Arg, io.ErrUnexpectedEOF)
	case Flaky:
		if n := jobgen.Attempt(ctx); n <= step.Fails {
			return 1, fmt.Errorf("step %d, attempt %d: %w", step.Arg, n, io.ErrUnexpectedEOF)
		}
	case Panic:
		s.dirty = true
		panic(fmt.Sprintf("step %d", step.Arg))
	case PanicErr:
		s.dirty = true
		panic(io.ErrClosedPipe)
	case Goexit:
		s.dirty = true
		runtime.Goexit()
	case Wait:
		<-ctx.Done()
		return 1, ctx.Err()
	case Hold:
		<-ctx.Done()
	}
	return s.Factor*float64(step.Arg) + jobgen.Rand(ctx).Float64(), nil
}

// spin works for d without letting go of the processor.
func spin(d time.Duration) {
	if d <= 0 {
		return
	}
	for start := time.Now(); time.Since(start) < d; {
	}
}

// runner is what a generated constructor would return.
func (p Place) runner(s Script, opts ...jobgen.Option) *jobgen.Runner[Step, float64] {
	r := jobgen.NewRunner(spec(s), append(append([]jobgen.Option(nil), p.Options...), opts...)...)
	return &r
}

func spec(s Script) jobgen.Spec[Step, float64] {
	sp := jobgen.Spec[Step, float64]{
		Name: "github.com/jobgen/jobgen/runtime/jobtest.Script",
		New:  instances(s),
		Wire: &jobgen.Wire[Step, float64]{
			Fingerprint: 1,
			Config:      func(b []byte) ([]byte, error) { return appendJSON(b, s) },
			Configured: func(config []byte) (func() jobgen.Instance[Step, float64], error) {
				s, _, err := readJSON[Script](config)
				return instances(s), err
			},
			AppendIn:  appendJSON[Step],
			ReadIn:    readJSON[Step],
			AppendOut: appendJSON[float64],
			ReadOut:   readJSON[float64],
			AppendIns: appendAllJSON[Step],
			ReadIns:   readAllJSON[Step],
			ReadOuts:  readAllJSON[float64],
		},
	}
	if s.OneByOne {
		sp.Name = "github.com/jobgen/jobgen/runtime/jobtest/onebyone/jobtest.Script" // the same for people
		sp.Wire.AppendIns, sp.Wire.ReadIns, sp.Wire.ReadOuts = nil, nil, nil
	}
	return sp
}

func instances(s Script) func() jobgen.Instance[Step, float64] {
	return func() jobgen.Instance[Step, float64] {
		s := s
		return jobgen.Instance[Step, float64]{Setup: s.Setup, Do: s.Do, Close: s.Close}
	}
}

func init() {
	jobgen.Register(spec(Script{}))
	jobgen.Register(spec(Script{OneByOne: true}))
}

// The codec of the suite is JSON, each value on a line: slow, and beyond doubt.

func appendJSON[T any](b []byte, v T) ([]byte, error) {
	line, err := json.Marshal(v)
	return append(append(b, line...), '\n'), err
}

func readJSON[T any](b []byte) (v T, rest []byte, err error) {
	for i, c := range b {
		if c == '\n' {
			return v, b[i+1:], json.Unmarshal(b[:i], &v)
		}
	}
	return v, nil, io.ErrUnexpectedEOF
}

func appendAllJSON[T any](b []byte, values []T, ends []int, most int) ([]byte, []int) {
	for _, v := range values {
		b, _ = appendJSON(b, v) // which can be encoded, all of them
		if ends = append(ends, len(b)); len(b) >= most {
			break
		}
	}
	return b, ends
}

func readAllJSON[T any](b []byte, values []T) (n int, rest []byte, err error) {
	for n < len(values) {
		v, rest, err := readJSON[T](b)
		if err != nil {
			return n, b, err
		}
		values[n], b = v, rest
		n++
	}
	return n, b, nil
}
