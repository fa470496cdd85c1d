package sharedmem_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jobgen/jobgen/sharedmem"
)

func Example() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer arena.Close()

	a, err := sharedmem.Alloc[float64](arena, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range a.Dim(0) {
		for j := range a.Dim(1) {
			a.Set(float64(10*i+j), i, j)
		}
	}
	row := a.Sub(1).Slice() // the same memory
	row[0] = -1
	fmt.Println(a.At(1, 0), a.Slice(), a.T().Shape())
	// Output: -1 [0 1 2 -1 11 12] [3 2]
}

func ExampleStack() {
	arena, _ := sharedmem.NewArena(sharedmem.ArenaOptions{})
	defer arena.Close()

	a, err := sharedmem.Stack(arena, [][]int{{1, 2, 3}, {4, 5, 6}})
	fmt.Println(a.Shape(), a.At(1, 2), arena.Stats().Copied, err)

	_, err = sharedmem.Stack(arena, [][]int{{1, 2, 3}, {4, 5}})
	fmt.Println(err)
	// Output:
	// [2 3] 6 48 <nil>
	// sharedmem: Stack: shape (2,) does not go with shape (3,): row 1 has 2 elements, row 0 has 3
}

func ExampleOpenNPY() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x.npy")
	arena, _ := sharedmem.NewArena(sharedmem.ArenaOptions{})
	defer arena.Close()
	a, _ := sharedmem.CopyOf(arena, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
	if err := sharedmem.CreateNPY(path, a); err != nil { // numpy.load("x.npy")
		fmt.Println(err)
	}

	x, err := sharedmem.OpenNPY[float64](path) // mapped, not read
	if err != nil {
		fmt.Println(err)
		return
	}
	defer x.Close()
	fmt.Println(x.Shape(), x.At(1, 1), x.ReadOnly())
	// Output: [2 3] 5 true
}

// A job that gets a window works in place: nothing has to be brought together afterwards.
func ExampleArray_Rows() {
	arena, _ := sharedmem.NewArena(sharedmem.ArenaOptions{})
	defer arena.Close()
	a, _ := sharedmem.Alloc[int](arena, 6)
	for i := 0; i < a.Len(); i += 2 {
		part := a.Rows(i, i+2).Slice()
		for k := range part {
			part[k] = i
		}
	}
	fmt.Println(a.Slice())
	// Output: [0 0 2 2 4 4]
}

func ExampleArray_View() {
	arena, _ := sharedmem.NewArena(sharedmem.ArenaOptions{})
	defer arena.Close()
	a, _ := sharedmem.CopyOf(arena, []float64{3, 4})

	sum := 0.0
	err := a.View(func(s []float64) error { // arena.Close waits until it returns
		for _, x := range s {
			sum += x * x
		}
		return nil
	})
	fmt.Println(sum, err)
	// Output: 25 <nil>
}

func ExampleArray_Lock() {
	arena, _ := sharedmem.NewArena(sharedmem.ArenaOptions{})
	defer arena.Close()
	total, _ := sharedmem.Alloc[int](arena, 1)

	if total.Lock() {
		fmt.Println("the process that was writing has died: start again")
	}
	total.Set(total.At(0)+1, 0)
	total.Unlock()
	fmt.Println(total.At(0))
	// Output: 1
}

func ExampleBudgetError() {
	arena, _ := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "results", MaxBytes: 1 << 20})
	defer arena.Close()

	_, err := sharedmem.Alloc[float64](arena, 1000, 1000)
	var budget *sharedmem.BudgetError
	fmt.Println(errors.As(err, &budget))
	fmt.Println(err)
	// Output:
	// true
	// sharedmem: no memory for 8.0 MB in arena "results", whose arrays take 0 bytes: its MaxBytes is 1.0 MB
}

// Where a slice ends up in memory that is gone, Explain says what it was.
func ExampleExplain() {
	defer func() {
		if fault := sharedmem.Explain(recover()); fault == nil {
			fmt.Println("something else")
		}
	}()
	panic("not a fault")
	// Output: something else
}
