//go:build unix

package jobgen_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// Arrays of an arena are the same memory in the process, and results can be written in place.
func TestArraysReachProcesses(t *testing.T) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	a, err := sharedmem.Alloc[float64](arena, 8, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !arena.Stats().Shared {
		t.Skip("arenas are on the heap in this build")
	}
	r := jobgen.NewRunner(doubleSpec(), jobgen.Processes(), jobgen.Workers(2))
	var rows []sharedmem.Array[float64]
	for i := range a.Dim(0) {
		a.Set(float64(i), i, 0)
		rows = append(rows, a.Sub(i))
	}
	pids, err := r.Run(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if got := a.At(i, 1); got != float64(2*i) {
			t.Errorf("row %d: %v", i, got)
		}
	}
	if slices.Contains(pids, os.Getpid()) {
		t.Error("a job ran in this process")
	}
	stale := a.Sub(0)
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(t.Context(), []sharedmem.Array[float64]{stale}); err == nil || !strings.Contains(err.Error(), "encoding the input") {
		t.Errorf("an array of a closed arena: %v", err)
	}
}

func doubleSpec() jobgen.Spec[sharedmem.Array[float64], int] {
	do := func() jobgen.Instance[sharedmem.Array[float64], int] {
		return jobgen.Instance[sharedmem.Array[float64], int]{Do: func(_ context.Context, row sharedmem.Array[float64]) (int, error) {
			row.Set(2*row.At(0), 1)
			return os.Getpid(), nil
		}}
	}
	type array = sharedmem.Array[float64]
	return jobgen.Spec[array, int]{
		Name: "github.com/jobgen/jobgen/runtime_test.double", New: do,
		Wire: &jobgen.Wire[array, int]{
			Config:     func(b []byte) ([]byte, error) { return b, nil },
			Configured: func([]byte) (func() jobgen.Instance[array, int], error) { return do, nil },
			AppendIn: func(b []byte, in array) ([]byte, error) {
				h, err := in.MarshalBinary()
				return append(append(b, byte(len(h))), h...), err
			},
			ReadIn: func(b []byte) (in array, rest []byte, err error) {
				n := 1 + int(b[0])
				return in, b[n:], in.UnmarshalBinary(b[1:n])
			},
			AppendOut: func(b []byte, out int) ([]byte, error) { return strconv.AppendInt(b, int64(out), 10), nil },
			ReadOut: func(b []byte) (int, []byte, error) {
				n, err := strconv.Atoi(string(b))
				return n, nil, err
			},
		},
	}
}

func init() { jobgen.Register(doubleSpec()) }
