package main

import (
	"context"
	"fmt"
	"io"
	"math"
)

// Outliers returns the values that are further than width standard deviations from the mean: none,
// some, or many.
//
//jobgen:worker bind=width
func Outliers(x []float64, width float64) ([]float64, error) {
	var v Variance
	variance, err := v.Do(x)
	if err != nil {
		return nil, err
	}
	mean, limit := Mean(x), width*math.Sqrt(variance)
	var far []float64
	for _, value := range x {
		if math.Abs(value-mean) > limit {
			far = append(far, value)
		}
	}
	return far, nil
}

const lengthsCode = `
outliers, err := NewOutliersRunner(0.9).Run(ctx, arrays)
`

func showLengths(ctx context.Context, out, _ io.Writer) error {
	outliers, err := NewOutliersRunner(0.9).Run(ctx, arrays)
	if err != nil {
		return err
	}
	for i, far := range outliers {
		fmt.Fprintf(out, "  %-18s has %d outliers: %v\n", text(arrays[i]), len(far), far)
	}
	return nil
}
