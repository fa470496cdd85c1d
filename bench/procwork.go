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
