package main

import "github.com/jobgen/jobgen/sharedmem"

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

// Double is a job so short that only the way to it and back takes time.
//
//jobgen:worker
func Double(x float64) float64 { return 2 * x }

// Spin is a job of a chosen length.
//
//jobgen:worker
func Spin(turns int) uint64 { return spin(turns) }

// Variance reads an array twice, which wherever it runs is the same memory.
//
//jobgen:worker
func Variance(a sharedmem.Array[float64]) float64 {
	s := a.Slice()
	sum, squares := 0.0, 0.0
	for _, x := range s {
		sum += x
	}
	mean := sum / float64(len(s))
	for _, x := range s {
		squares += (x - mean) * (x - mean)
	}
	return squares / float64(len(s))
}

// Ends is a job that hardly looks at its slice, which has to reach it all the same.
//
//jobgen:worker
func Ends(s []float64) float64 { return s[0] + s[len(s)-1] }

// Zeros is a job whose result is a slice.
//
//jobgen:worker
func Zeros(n int) []float64 { return make([]float64, n) }
