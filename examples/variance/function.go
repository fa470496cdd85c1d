package main

import (
	"context"
	"fmt"
	"io"
)

// Mean is the mean of an array. A function is a worker as it stands; it can still be called as what
// it is.
//
//jobgen:worker
func Mean(x []float64) float64 {
	sum := 0.0
	for _, value := range x {
		sum += value
	}
	return sum / float64(len(x))
}

const functionCode = `
means, err := NewMeanRunner().Run(ctx, arrays)
`

func showFunction(ctx context.Context, out, _ io.Writer) error {
	means, err := NewMeanRunner().Run(ctx, arrays)
	if err != nil {
		return err
	}
	for i, m := range means {
		fmt.Fprintf(out, "  %-18s has the mean %8.2f\n", text(arrays[i]), m)
	}
	return nil
}
