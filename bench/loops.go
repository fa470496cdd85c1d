package main

import "github.com/jobgen/jobgen/sharedmem"

// The loops that elements compares: over a slice and over an array in the same form, each a function of
// its own, so that both are compiled as they would be anywhere else and neither is compiled away.
//
// Some of them take half as long again, or twice as long, where their jumps lie in two lines of the processor's cache, which is a matter of
// luck. So each is compiled several times, at different distances from the beginning of a line, and all are run: the time of a loop is
// their mean.

// address tells copies of a loop apart. The compiler makes a function of its own for each size.
type address interface {
	[1]byte | [2]byte | [3]byte | [4]byte | [5]byte | [6]byte | [7]byte | [8]byte
}

// places is how many types an address can be.
const places = 8

// shift moves what follows it in a function by an instruction for each byte of P but the first: functions themselves begin only at the
// beginning of a line, or in its middle.
func shift[P address]() {
	var p P
	if len(p) > 1 {
		shifts[1]++
	}
	if len(p) > 2 {
		shifts[2]++
	}
	if len(p) > 3 {
		shifts[3]++
	}
	if len(p) > 4 {
		shifts[4]++
	}
	if len(p) > 5 {
		shifts[5]++
	}
	if len(p) > 6 {
		shifts[6]++
	}
	if len(p) > 7 {
		shifts[7]++
	}
}

var shifts [places]int

//go:noinline
func sumSlice1[P address](s []float64, n int) (x float64) {
	shift[P]()
	for i := range n {
		x += s[i]
	}
	return x
}

//go:noinline
func sumArray1[P address](a sharedmem.Array[float64], n int) (x float64) {
	shift[P]()
	for i := range n {
		x += a.At(i)
	}
	return x
}

//go:noinline
func sumSlice2[P address](s []float64, rows, cols int) (x float64) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			x += s[i*cols+j]
		}
	}
	return x
}

//go:noinline
func sumArray2[P address](a sharedmem.Array[float64], rows, cols int) (x float64) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			x += a.At(i, j)
		}
	}
	return x
}

//go:noinline
func sumSlice3[P address](s []float64, n0, n1, n2 int) (x float64) {
	shift[P]()
	for i := range n0 {
		for j := range n1 {
			for k := range n2 {
				x += s[(i*n1+j)*n2+k]
			}
		}
	}
	return x
}

//go:noinline
func sumArray3[P address](a sharedmem.Array[float64], n0, n1, n2 int) (x float64) {
	shift[P]()
	for i := range n0 {
		for j := range n1 {
			for k := range n2 {
				x += a.At(i, j, k)
			}
		}
	}
	return x
}

// sumSliceT goes through a matrix of cols rows, column by column: what sumArray2 does with a transposed
// array.
//
//go:noinline
func sumSliceT[P address](s []float64, rows, cols int) (x float64) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			x += s[j*rows+i]
		}
	}
	return x
}

// sumColumns does the same with the matrix as it lies.
//
//go:noinline
func sumColumns[P address](a sharedmem.Array[float64], rows, cols int) (x float64) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			x += a.At(j, i)
		}
	}
	return x
}

// A sum of floats waits three or four cycles for each addition, and work on an index can hide there.
// Whole numbers are added in one.

//go:noinline
func sumSliceInts[P address](s []int64, rows, cols int) (x int64) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			x += s[i*cols+j]
		}
	}
	return x
}

//go:noinline
func sumArrayInts[P address](a sharedmem.Array[int64], rows, cols int) (x int64) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			x += a.At(i, j)
		}
	}
	return x
}

//go:noinline
func setSlice1[P address](s []float64, n int) {
	shift[P]()
	for i := range n {
		s[i] = float64(i)
	}
}

//go:noinline
func setArray1[P address](a sharedmem.Array[float64], n int) {
	shift[P]()
	for i := range n {
		a.Set(float64(i), i)
	}
}

//go:noinline
func setSlice2[P address](s []float64, rows, cols int) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			s[i*cols+j] = float64(i + j)
		}
	}
}

//go:noinline
func setArray2[P address](a sharedmem.Array[float64], rows, cols int) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			a.Set(float64(i+j), i, j)
		}
	}
}

//go:noinline
func setSlice3[P address](s []float64, n0, n1, n2 int) {
	shift[P]()
	for i := range n0 {
		for j := range n1 {
			for k := range n2 {
				s[(i*n1+j)*n2+k] = float64(i + j + k)
			}
		}
	}
}

//go:noinline
func setArray3[P address](a sharedmem.Array[float64], n0, n1, n2 int) {
	shift[P]()
	for i := range n0 {
		for j := range n1 {
			for k := range n2 {
				a.Set(float64(i+j+k), i, j, k)
			}
		}
	}
}

//go:noinline
func setSliceT[P address](s []float64, rows, cols int) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			s[j*rows+i] = float64(i + j)
		}
	}
}

//go:noinline
func setColumns[P address](a sharedmem.Array[float64], rows, cols int) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			a.Set(float64(i+j), j, i)
		}
	}
}

//go:noinline
func setSliceInts[P address](s []int64, rows, cols int) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			s[i*cols+j] = int64(i + j)
		}
	}
}

//go:noinline
func setArrayInts[P address](a sharedmem.Array[int64], rows, cols int) {
	shift[P]()
	for i := range rows {
		for j := range cols {
			a.Set(int64(i+j), i, j)
		}
	}
}
