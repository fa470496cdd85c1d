package main

import "fmt"

// arrays are the inputs of several sections.
var arrays = [][]float64{
	{2, 4, 4, 4, 5, 5, 7, 9},
	{1, 2, 3, 4},
	{10, 10, 10},
	{0, 100},
}

// holey has arrays that have no variance.
var holey = [][]float64{
	{2, 4, 4, 4, 5, 5, 7, 9},
	{},
	{1, 2, 3, 4},
	{7},
	{0, 100},
}

// text writes an array as one value, which can be padded.
func text(x []float64) string { return fmt.Sprint(x) }
