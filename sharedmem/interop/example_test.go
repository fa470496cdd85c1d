package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"codeberg.org/sbinet/npyio"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/jobgen/jobgen/sharedmem"
)

// A matrix of gonum's takes the slice of an array for its memory. What is computed into the matrix is
// in the array, where other processes see it.
func Example_gonum() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()
	a, err := sharedmem.CopyOf(arena, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	square, err := sharedmem.Alloc[float64](arena, 2, 2)
	if err != nil {
		log.Fatal(err)
	}

	m := mat.NewDense(2, 3, a.Slice())
	mat.NewDense(2, 2, square.Slice()).Mul(m, m.T())

	fmt.Println(square.Slice())
	fmt.Println("sum of row 1:", floats.Sum(square.Sub(1).Slice()))
	// Output:
	// [14 32 32 77]
	// sum of row 1: 109
}

// In View the arena cannot be closed while gonum is at work.
func Example_gonumView() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()
	a, err := sharedmem.CopyOf(arena, []float64{2, 1, 1, 3}, 2, 2)
	if err != nil {
		log.Fatal(err)
	}

	err = a.View(func(s []float64) error {
		var lu mat.LU
		lu.Factorize(mat.NewDense(2, 2, s))
		x := mat.NewVecDense(2, nil)
		if err := lu.SolveVecTo(x, false, mat.NewVecDense(2, []float64{3, 5})); err != nil {
			return err
		}
		fmt.Printf("%.2f\n", x.RawVector().Data)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: [0.80 1.40]
}

// An arena is an allocator of Arrow's: arrays are built in it, and Release gives their memory back to it.
func Example_arrow() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()

	b := array.NewFloat64Builder(arena)
	defer b.Release()
	b.AppendValues([]float64{1.5, 2.5, 3.5}, nil)
	b.AppendNull()
	values := b.NewFloat64Array()

	fmt.Println(values)
	fmt.Println("blocks in the arena:", arena.Stats().Arrays) // the values, and which of them are null
	values.Release()
	fmt.Println("after Release:", arena.Stats().Arrays)
	// Output:
	// [1.5 2.5 3.5 (null)]
	// blocks in the arena: 2
	// after Release: 0
}

// An allocator has no other way to say that there is no memory than to panic. The value is the error
// that Alloc would return.
func Example_arrowBudget() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{MaxBytes: 1000})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()

	b := array.NewInt64Builder(arena)
	defer b.Release()
	defer func() {
		var over *sharedmem.BudgetError
		if err, ok := recover().(error); ok && errors.As(err, &over) {
			fmt.Println("more than", over.Limit, "bytes")
		}
	}()
	b.Reserve(1_000_000)
	// Output: more than 1000 bytes
}

// An array that is there becomes one of Arrow's without a copy. To release it does nothing: the memory
// remains the array's.
func Example_arrowOverArray() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()
	a, err := sharedmem.CopyOf(arena, []int64{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}

	row := a.Sub(1)
	data := array.NewData(arrow.PrimitiveTypes.Int64, row.Len(), []*memory.Buffer{
		nil, // no value is null
		memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(row.Slice())),
	}, nil, 0, 0)
	defer data.Release()
	values := array.NewInt64Data(data)
	defer values.Release()

	fmt.Println(values)
	a.Set(50, 1, 1)
	fmt.Println(values)
	// Output:
	// [4 5 6]
	// [4 50 6]
}

// Arrow's buffers have no handle, so a table travels as a file of Arrow's in an array of bytes: the
// handle of that is all that another process needs to read it in place.
func Example_arrowFile() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()

	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(arena, schema)
	defer b.Release()
	b.Field(0).(*array.Float64Builder).AppendValues([]float64{0.5, 1, 2}, nil)
	batch := b.NewRecordBatch()
	defer batch.Release()

	var file bytes.Buffer
	w, err := ipc.NewFileWriter(&file, ipc.WithSchema(schema))
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(w.Write(batch), w.Close()); err != nil {
		log.Fatal(err)
	}
	shared, err := sharedmem.CopyOf(arena, file.Bytes())
	if err != nil {
		log.Fatal(err)
	}

	// In a worker, whose input the array was:
	r, err := ipc.NewMappedFileReader(shared.Slice())
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	there, err := r.RecordBatchAt(0)
	if err != nil {
		log.Fatal(err)
	}
	defer there.Release()
	fmt.Println(there.Column(0))
	// Output: [0.5 1 2]
}

// A file that CreateNPY writes is one of NumPy's, for whoever reads these. OpenNPY reads what others
// write, and maps it without a copy.
func Example_npyio() {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()
	a, err := sharedmem.CopyOf(arena, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "a.npy")
	if err := sharedmem.CreateNPY(path, a.T()); err != nil {
		log.Fatal(err)
	}

	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	var m mat.Dense
	if err := npyio.Read(f, &m); err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(&m))
	// Output:
	// ⎡1  4⎤
	// ⎢2  5⎥
	// ⎣3  6⎦
}
