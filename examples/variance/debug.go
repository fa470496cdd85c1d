package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// First is the first value of an array. It panics if there is none.
//
//jobgen:worker
func First(x []float64) float64 { return x[0] }

const debugCode = `
firsts, err := NewFirstRunner(jobgen.Debug()).Run(ctx, holey)
`

// The array at 1 is empty. Otherwise a panic is the error of its job; in debug mode it passes through
// Run, on the goroutine that has called it, so that a debugger stops where it is raised.
func showDebug(ctx context.Context, out, _ io.Writer) error {
	fmt.Fprintf(out, "  Without Debug, %s\n", outcome(ctx))

	// In debug mode jobs run in order, so this list needs no lock.
	var started []int
	note := jobgen.Observer{JobStarted: func(_ jobgen.RunInfo, job jobgen.JobInfo) { started = append(started, job.Index) }}
	fmt.Fprintf(out, "  With Debug, %s\n", outcome(ctx, jobgen.Debug(), jobgen.Observe(note)))
	fmt.Fprintf(out, "  Jobs that had begun then: %v\n", started)
	return nil
}

// outcome says what becomes of a run with a job that panics.
func outcome(ctx context.Context, opts ...jobgen.Option) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("the panic comes through:\n    %v", v)
		}
	}()
	_, err := NewFirstRunner(opts...).Run(ctx, holey)
	var p *jobgen.PanicError
	if errors.As(err, &p) {
		return fmt.Sprintf("Run returns a *PanicError of the value:\n    %v", p.Value)
	}
	return fmt.Sprintf("Run returns the error %v", err)
}
