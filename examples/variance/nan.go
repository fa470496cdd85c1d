package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	jobgen "github.com/jobgen/jobgen/runtime"
)

const nanCode = `
jobs := NewVarianceRunner(Variance{Bias: 1}, jobgen.CollectErrors())
variances, _ := jobs.Run(ctx, holey)
`

// A job that fails leaves NaN where its result would be a number, so that the others can be used
// without a look at the error.
func showNaN(ctx context.Context, out, _ io.Writer) error {
	jobs := NewVarianceRunner(Variance{Bias: 1}, jobgen.CollectErrors())
	variances, err := jobs.Run(ctx, holey)
	if err != nil && !errors.Is(err, ErrTooFew) {
		return err // not one to suppress: Ctrl-C, for example
	}
	for i, v := range variances {
		fmt.Fprintf(out, "  %-18s has the variance %8.2f\n", text(holey[i]), v)
	}
	return nil
}
