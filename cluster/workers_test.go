package cluster_test

import (
	"context"
	"fmt"
	"os"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

// Sum adds up an array, which lies in shared memory, and says which file it is mapped from.
//
//jobgen:worker
func Sum(a sharedmem.Array[float64]) (sum float64, pid int) {
	for _, x := range a.Slice() {
		sum += x
	}
	return sum, os.Getppid()
}

// Scribble writes to an array.
//
//jobgen:worker
func Scribble(a sharedmem.Array[float64]) int {
	a.Set(1, 0, 0)
	return 0
}

// Repeat makes a large result of a small input, or of a large one.
//
//jobgen:worker
func Repeat(text []byte, times int) []byte {
	var out []byte
	for range times {
		out = append(out, text...)
	}
	return out
}

// Weigh has a large configuration.
//
//jobgen:worker
type Weigh struct{ Weights []float64 }

func (w *Weigh) Do(i int) float64 { return w.Weights[i] }

// Talk logs, and tells which worker it is.
//
//jobgen:worker
func Talk(ctx context.Context, i int) int {
	jobgen.Log(ctx).Info(fmt.Sprintf("hello from job %d", i), "double", 2*i)
	return i
}
