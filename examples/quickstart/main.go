// Quickstart is the example of the README.
package main

import (
	"context"
	"fmt"

	jobgen "github.com/jobgen/jobgen/runtime"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

// Variance computes the variance of an array.
//
//jobgen:worker
type Variance struct{ Bias float64 }

// Do is the job: it is run for each array.
func (v Variance) Do(xs []float64) (float64, error) {
	if len(xs) < 2 {
		return 0, fmt.Errorf("a variance needs two values, not %d", len(xs))
	}
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum, squares = sum+x, squares+x*x
	}
	n := float64(len(xs))
	return (squares - sum*sum/n) / (n - v.Bias), nil
}

func main() {
	jobgen.Init()
	jobs := NewVarianceRunner(Variance{Bias: 1}, jobgen.CollectErrors())
	variances, err := jobs.Run(context.Background(), [][]float64{{1, 2, 3, 4}, {7}, {2, 4}})
	fmt.Println(variances)
	fmt.Println(err)
}
