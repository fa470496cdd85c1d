package main

import (
	"context"
	"fmt"
	"io"
)

// Matrix is rows of equal lengths.
type Matrix [][]float64

// VarianceAlong returns the variances of a matrix's columns (axis 0) or rows (axis 1). The axis is
// the same for all jobs: the parameter becomes one of the constructor.
//
//jobgen:worker bind=axis
func VarianceAlong(x Matrix, axis int) ([]float64, error) {
	if axis == 0 {
		x = x.transposed()
	}
	var v Variance
	variances := make([]float64, len(x))
	for i, row := range x {
		var err error
		if variances[i], err = v.Do(row); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
	}
	return variances, nil
}

func (x Matrix) transposed() Matrix {
	if len(x) == 0 {
		return nil
	}
	t := make(Matrix, len(x[0]))
	for _, row := range x {
		for j, value := range row {
			t[j] = append(t[j], value)
		}
	}
	return t
}

const bindCode = `
perRow, err := NewVarianceAlongRunner(1).Run(ctx, matrices)
perColumn, err := NewVarianceAlongRunner(0).Run(ctx, matrices)
`

func showBind(ctx context.Context, out, _ io.Writer) error {
	matrices := []Matrix{
		{{1, 2, 3}, {1, 3, 5}, {1, 4, 7}},
		{{0, 8}, {4, 4}},
	}
	perRow, err := NewVarianceAlongRunner(1).Run(ctx, matrices)
	if err != nil {
		return err
	}
	perColumn, err := NewVarianceAlongRunner(0).Run(ctx, matrices)
	if err != nil {
		return err
	}
	for i, m := range matrices {
		fmt.Fprintf(out, "  %v\n    per row    %.2f\n    per column %.2f\n", m, perRow[i], perColumn[i])
	}
	return nil
}
