package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	jobgen "github.com/jobgen/jobgen/runtime"
)

const errorsCode = `
variances, err := jobs.Run(ctx, holey)
if err != nil {
	return variances, fmt.Errorf("variances: %w", err)
}
...
var failed *jobgen.RunError              // in the caller
if errors.As(err, &failed) { ... }
`

// allVariances runs every job, and passes the errors of those that failed on to its caller.
func allVariances(ctx context.Context) ([]float64, error) {
	jobs := NewVarianceRunner(Variance{Bias: 1}, jobgen.CollectErrors())
	variances, err := jobs.Run(ctx, holey)
	if err != nil {
		return variances, fmt.Errorf("variances: %w", err)
	}
	return variances, nil
}

func showErrors(ctx context.Context, out, _ io.Writer) error {
	variances, err := allVariances(ctx)
	var failed *jobgen.RunError
	if !errors.As(err, &failed) || failed.Cause != nil {
		return err
	}
	fmt.Fprintf(out, "  %d of %d jobs failed; errors.Is(err, ErrTooFew) is %t\n", len(failed.Jobs), len(holey), errors.Is(err, ErrTooFew))
	for _, job := range failed.Jobs {
		fmt.Fprintf(out, "  job %d, %s: %v\n", job.Index, job.Job, job.Err)
	}
	for i, v := range variances {
		if failed.HasResult(i) {
			fmt.Fprintf(out, "  job %d has a result: %.2f\n", i, v)
		}
	}
	return nil
}
