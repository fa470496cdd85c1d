package main

import (
	"math/rand/v2"

	"github.com/jobgen/jobgen/sharedmem"
)

// Variance is the variance of an array, as of a whole population; NaN if the array is empty.
//
//jobgen:worker
func Variance(x []float64) float64 {
	n, sum := float64(len(x)), 0.0
	for _, v := range x {
		sum += v
	}
	mean := sum / n
	// rest would be zero but for the rounding of mean, which it takes out of the result (Chan, Golub
	// and LeVeque: Algorithms for Computing the Sample Variance, 1983).
	squares, rest := 0.0, 0.0
	for _, v := range x {
		d := v - mean
		squares += float64(d * d) // not fused with the sum, which only some processors can do
		rest += d
	}
	return (squares - rest*rest/n) / n
}

// SharedVariance is Variance of an array in shared memory. View keeps the arena open meanwhile.
//
//jobgen:worker
func SharedVariance(x sharedmem.Array[float64]) (variance float64, err error) {
	err = x.View(func(s []float64) error {
		variance = Variance(s)
		return nil
	})
	return variance, err
}

// Fill fills x, a part of an array, with random numbers from 0 up to 1. They depend on seed and on at,
// which is different for each part.
//
// It is no worker: one in another process would fill a copy of x, which nobody would see.
func Fill(x []float64, at, seed uint64) {
	// rand.Rand would call PCG through an interface, which takes longer than to make a number.
	pcg := rand.NewPCG(seed, at)
	for i := range x {
		x[i] = float64(pcg.Uint64()>>11) / (1 << 53)
	}
}

// SharedFill is Fill for a part of an array in shared memory. What it writes is there for all processes.
//
//jobgen:worker bind=seed
func SharedFill(x sharedmem.Array[float64], at, seed uint64) error {
	return x.View(func(s []float64) error {
		Fill(s, at, seed)
		return nil
	})
}
