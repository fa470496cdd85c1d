package jobgen

import (
	"context"
	"runtime"

	_ "github.com/jobgen/jobgen/runtime/wire" // generated code needs it: so a vendor directory has it too
)

// ABI1 is the contract between generated code and this package, first version. Every generated file
// names the version that it was written for, so that a file and a runtime that do not fit together
// fail to compile next to the words "run go generate" instead of misbehaving.
//
// A version stays while what it promised to older files holds: names may be added to it, but none
// changes. A file from before there were codecs compiles, and its workers are refused by backends with
// the advice to run go generate. A file with codecs does not compile with a runtime from before them, because
// that has no package wire to import; nor does one with error types where there is no RegisterErrorType.
const ABI1 = 1

// Spec describes a worker to the runtime. It is filled in by generated code, which hands it to
// [NewRunner]; programs use the generated constructor instead.
type Spec[In, Out any] struct {
	// Name is the worker's import path and name: "example.com/stats.Variance".
	Name string

	// Pos is the base name of the file in which the worker is declared. There is no line in it, so
	// that generated code does not change when the worker only moves.
	Pos string

	// Multi says that Out is a generated struct of several results. A failed job's place then
	// holds NaN in each field that is a float or complex number.
	Multi bool

	// Local says why the worker cannot leave the process, naming the field or parameter and its
	// position. It is empty when every type that has to travel can be encoded.
	Local string

	// New makes one worker: a copy of the configured value, on which nothing has been called yet.
	// The runtime calls it once for each concurrent worker, and once more after a panic.
	New func() Instance[In, Out]

	// Wire says how the worker reaches another process. It is nil for a local worker.
	Wire *Wire[In, Out]

	// Instance returns the spec of a generic worker's instance that was registered with
	// [RegisterInstance], or of the worker itself if this instance was not. It is asked when a
	// backend is about to run the worker, since a runner may be made before init functions have run.
	// It is nil for a worker that is not generic.
	Instance func() Spec[In, Out]

	function uintptr // of a plain function, whose name is looked up when somebody wants to know it
}

func (s *Spec[In, Out]) name() string {
	if s.function != 0 {
		return runtime.FuncForPC(s.function).Name()
	}
	return s.Name
}

// Instance is one worker at work: its own copy of the user's value, behind three functions.
type Instance[In, Out any] struct {
	Setup func(context.Context) error // runs once, before the first job; may be nil
	Do    func(context.Context, In) (Out, error)
	Close func() error // runs once, after the last job; may be nil
}
