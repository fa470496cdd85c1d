package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrTooFew is the error of an array that is too short to have a variance.
var ErrTooFew = errors.New("too few values")

// Variance computes the variance of an array.
//
//jobgen:worker
type Variance struct {
	// Bias is subtracted from the number of values: 0 for a whole population, 1 for a sample of it.
	// Exported fields are configuration, the same for all jobs.
	Bias int

	// Each worker has its own copy of the struct: no lock is needed.
	squares []float64
}

// Setup prepares a worker for its first job.
func (v *Variance) Setup(context.Context) error {
	v.squares = make([]float64, 0, 1024)
	return nil
}

// Do is the job.
func (v *Variance) Do(x []float64) (float64, error) {
	if len(x) <= v.Bias {
		return 0, fmt.Errorf("%w: %d, where more than %d are needed", ErrTooFew, len(x), v.Bias)
	}
	mean := Mean(x)
	v.squares = v.squares[:0]
	for _, value := range x {
		v.squares = append(v.squares, (value-mean)*(value-mean))
	}
	return Mean(v.squares) * float64(len(x)) / float64(len(x)-v.Bias), nil
}

const structCode = `
jobs := NewVarianceRunner(Variance{Bias: 1})
variances, err := jobs.Run(ctx, arrays)
`

func showStruct(ctx context.Context, out, _ io.Writer) error {
	jobs := NewVarianceRunner(Variance{Bias: 1})
	variances, err := jobs.Run(ctx, arrays)
	if err != nil {
		return err
	}
	for i, v := range variances {
		fmt.Fprintf(out, "  %-18s has the variance %8.2f\n", text(arrays[i]), v)
	}
	return nil
}
