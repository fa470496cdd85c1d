package interop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/math"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/jobgen/jobgen/sharedmem"
)

var _ memory.Allocator = (*sharedmem.Arena)(nil)

// watched is an arena that remembers what it has handed out, to tell what lies in it.
type watched struct {
	*sharedmem.Arena
	mu    sync.Mutex
	lives map[uintptr]int // sizes by address
}

func watch(a *sharedmem.Arena) *watched { return &watched{Arena: a, lives: map[uintptr]int{}} }

// All three hold the lock throughout: what one goroutine frees the next may be given at once.

func (w *watched) Allocate(size int) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.note(w.Arena.Allocate(size))
}

func (w *watched) Reallocate(size int, b []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	made := w.Arena.Reallocate(size, b)
	delete(w.lives, address(b))
	return w.note(made)
}

func (w *watched) Free(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Arena.Free(b)
	delete(w.lives, address(b))
}

func (w *watched) note(b []byte) []byte {
	if len(b) > 0 {
		w.lives[address(b)] = len(b)
	}
	return b
}

// holds reports whether b lies in the arena.
func (w *watched) holds(b []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, size := range w.lives {
		if p := address(b); p >= at && p+uintptr(len(b)) <= at+uintptr(size) {
			return true
		}
	}
	return false
}

func address[T any](s []T) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(s))) }

// wantIn fails the test if a buffer of the array is not in the arena, or not as aligned as Arrow wants it.
func wantIn(t testing.TB, w *watched, data arrow.ArrayData) {
	t.Helper()
	for i, b := range data.Buffers() {
		if b == nil || b.Len() == 0 {
			continue
		}
		if !w.holds(b.Bytes()) {
			t.Errorf("%v: buffer %d is not in the arena", data.DataType(), i)
		}
		if at := address(b.Bytes()); at%64 != 0 {
			t.Errorf("%v: buffer %d is at %#x, which is no multiple of 64", data.DataType(), i, at)
		}
	}
	for _, c := range data.Children() {
		wantIn(t, w, c)
	}
	if data.DataType().ID() == arrow.DICTIONARY {
		wantIn(t, w, data.Dictionary())
	}
}

// wantEmpty fails the test if something in the arena was not given back.
func wantEmpty(t testing.TB, arena *sharedmem.Arena) {
	t.Helper()
	if s := arena.Stats(); s.InUse != 0 || s.Arrays != 0 {
		t.Errorf("the arena still has %d bytes in %d arrays", s.InUse, s.Arrays)
	}
}

// schema has columns of fixed, variable and nested layouts, with and without nulls.
var schema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "ok", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Float32)},
	{Name: "word", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
}, nil)

// build makes a batch of n rows in the memory of an allocator.
func build(t testing.TB, mem memory.Allocator, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i) * 1_000_000_007)
		if i%3 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.Float64Builder).Append(float64(i) / 4)
		}
		b.Field(2).(*array.BooleanBuilder).Append(i%5 == 0)
		if i%7 == 0 {
			b.Field(3).AppendNull()
		} else {
			b.Field(3).(*array.StringBuilder).Append(fmt.Sprint("row ", i))
		}
		list := b.Field(4).(*array.ListBuilder)
		list.Append(true)
		for k := range i % 4 {
			list.ValueBuilder().(*array.Float32Builder).Append(float32(i + k))
		}
		if err := b.Field(5).(*array.BinaryDictionaryBuilder).AppendString([]string{"a", "bb", "ccc"}[i%3]); err != nil {
			t.Error(err)
		}
	}
	return b.NewRecordBatch()
}

func TestBuilders(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	w := watch(arena)
	neighbour := alloc[int64](t, arena, 10) // is there all the time
	before := arena.Stats()
	for _, n := range []int{0, 1, 100, 5000} {
		mem := memory.NewCheckedAllocator(w)
		rec, want := build(t, mem, n), build(t, memory.NewGoAllocator(), n)
		if !array.RecordEqual(rec, want) {
			t.Errorf("%d rows: the batch is another one than in Go's own memory", n)
		}
		for _, c := range rec.Columns() {
			wantIn(t, w, c.Data())
		}
		if got, want := arena.Stats().InUse-before.InUse, int64(mem.CurrentAlloc()); got != want || got < int64(8*n) {
			t.Errorf("%d rows: the arena has %d bytes more in use, and Arrow has allocated %d", n, got, want)
		}
		rec.Release()
		mem.AssertSize(t, 0)
		if after := arena.Stats(); after.InUse != before.InUse || after.Arrays != before.Arrays {
			t.Errorf("%d rows: after Release there are %d bytes in %d arrays, before there were %d in %d",
				n, after.InUse, after.Arrays, before.InUse, before.Arrays)
		}
	}
	for i, v := range neighbour.All() {
		if v != 0 {
			t.Errorf("element %d of an array that Arrow knows nothing of is %d", i, v)
		}
	}
}

// Builders grow by Reallocate: alone in place, and out of each other's way if they are several.
func TestBuilderGrowth(t *testing.T) {
	const n = 50_000
	for _, several := range []int{1, 2, 5} {
		arena := newArena(t, sharedmem.ArenaOptions{})
		w := watch(arena)
		mem := memory.NewCheckedAllocator(w)
		builders := make([]*array.Int64Builder, several)
		for k := range builders {
			builders[k] = array.NewInt64Builder(mem)
		}
		for i := range n {
			for k, b := range builders {
				b.Append(int64(i * (k + 1)))
			}
		}
		for k, b := range builders {
			a := b.NewInt64Array()
			wantIn(t, w, a.Data())
			for i, v := range a.Int64Values() {
				if v != int64(i*(k+1)) {
					t.Fatalf("%d builders: value %d of number %d is %d", several, i, k, v)
				}
			}
			a.Release()
			b.Release()
		}
		mem.AssertSize(t, 0)
		wantEmpty(t, arena)
	}
}

func TestBufferGrowsInPlace(t *testing.T) {
	b := memory.NewResizableBuffer(newArena(t, sharedmem.ArenaOptions{}))
	defer b.Release()
	b.Resize(1)
	at := address(b.Bytes())
	for n := 2; n <= 64<<10; n *= 2 {
		b.Resize(n)
		if address(b.Bytes()) != at {
			t.Fatalf("the buffer, which has nothing behind it, was moved to grow to %d bytes", n)
		}
	}
}

// Buffers that grow, shrink and go in a random order never share a byte.
func TestRandomBuffers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	arena := newArena(t, sharedmem.ArenaOptions{})
	w := watch(arena)
	mem := memory.NewCheckedAllocator(w)
	type held struct {
		*memory.Buffer
		mark byte // every byte of it
	}
	buffers := make([]held, 8)
	for k := range buffers {
		buffers[k].Buffer = memory.NewResizableBuffer(mem)
	}
	for step := range 3000 {
		h := &buffers[rng.IntN(len(buffers))]
		size := 0
		if rng.IntN(8) > 0 {
			size = rng.IntN(1 << rng.IntN(17))
		}
		kept := min(size, h.Len())
		h.Resize(size)
		for i, x := range h.Bytes()[:kept] {
			if x != h.mark {
				t.Fatalf("step %d: after Resize to %d, byte %d is %d, not %d", step, size, i, x, h.mark)
			}
		}
		if size > 0 && (!w.holds(h.Bytes()) || address(h.Bytes())%64 != 0) {
			t.Fatalf("step %d: %d bytes at %#x", step, size, address(h.Bytes()))
		}
		h.mark = byte(step)
		for i := range h.Bytes() {
			h.Bytes()[i] = h.mark
		}
	}
	for _, h := range buffers {
		for i, x := range h.Bytes() {
			if x != h.mark {
				t.Fatalf("at the end byte %d is %d, not %d", i, x, h.mark)
			}
		}
		h.Release()
	}
	mem.AssertSize(t, 0)
	wantEmpty(t, arena)
}

func TestBuildersTogether(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	mem := memory.NewCheckedAllocator(arena)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			want := build(t, memory.NewGoAllocator(), 500) // one each: even to read Arrow's dictionaries is a race
			for range 5 {
				rec := build(t, mem, 500)
				if !array.RecordEqual(rec, want) {
					t.Error("the batch is another one than in Go's own memory")
				}
				rec.Release()
			}
		})
	}
	wg.Wait()
	mem.AssertSize(t, 0)
	wantEmpty(t, arena)
}

// float64s makes an Arrow array of the memory of an array of the arena. Its buffer has no allocator, so
// that Release frees nothing.
func float64s(a sharedmem.Array[float64]) *array.Float64 {
	values := memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(a.Slice()))
	data := array.NewData(arrow.PrimitiveTypes.Float64, a.Len(), []*memory.Buffer{nil, values}, nil, 0, 0)
	defer data.Release()
	return array.NewFloat64Data(data)
}

func TestArrowOverAnArray(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := alloc[float64](t, arena, 40, 25)
	before := arena.Stats()
	sum := 0.0
	for i := range a.Slice() {
		a.Slice()[i] = float64(i)
		sum += float64(i)
	}

	v := float64s(a)
	if &v.Float64Values()[0] != &a.Slice()[0] || v.Len() != a.Len() || v.NullN() != 0 {
		t.Fatal("Arrow has a copy, or another length")
	}
	// This sum is computed with vector instructions, where there are any.
	if got := math.Float64.Sum(v); got != sum {
		t.Errorf("Arrow's sum is %v, not %v", got, sum)
	}
	a.Set(-1, 39, 24)
	if v.Value(999) != -1 {
		t.Error("what is written to the array, Arrow does not see")
	}
	row := float64s(a.Sub(7))
	if row.Len() != 25 || row.Value(3) != a.At(7, 3) {
		t.Errorf("row 7 is %v", row)
	}
	part := array.NewSlice(v, 7*25, 8*25)
	if !array.Equal(part, row) {
		t.Error("a slice of Arrow's is not the row of the array")
	}

	part.Release()
	row.Release()
	v.Release()
	if after := arena.Stats(); after != before {
		t.Errorf("Release has changed the arena from %+v to %+v", before, after)
	}
	if a.At(7, 3) != 178 {
		t.Error("Release has freed the array")
	}
}

func TestIPCStream(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	w := watch(arena)
	mem := memory.NewCheckedAllocator(w)
	first, second := build(t, mem, 1000), build(t, mem, 10)

	// With compression there are more buffers, that only live for a moment.
	for _, opts := range [][]ipc.Option{nil, {ipc.WithLZ4()}} {
		var stream bytes.Buffer
		out := ipc.NewWriter(&stream, append(opts, ipc.WithSchema(schema), ipc.WithAllocator(mem))...)
		for _, rec := range []arrow.RecordBatch{first, second} {
			if err := out.Write(rec); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}

		in, err := ipc.NewReader(&stream, ipc.WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []arrow.RecordBatch{first, second} {
			got, err := in.Read()
			if err != nil {
				t.Fatal(err)
			}
			if !array.RecordEqual(got, want) {
				t.Errorf("batch %d is not what was written", i)
			}
			for _, c := range got.Columns()[:2] { // buffers lie behind each other in the message's body
				if values := c.Data().Buffers()[1].Bytes(); !w.holds(values) {
					t.Errorf("batch %d: a column of type %v is not in the arena", i, c.DataType())
				}
			}
		}
		if _, err := in.Read(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last batch: %v", err)
		}
		in.Release()
	}
	first.Release()
	second.Release()
	mem.AssertSize(t, 0)
	wantEmpty(t, arena)
}

// A whole file of Arrow's as an array of bytes: its handle is what another process needs to read
// the batches, without a copy.
func TestIPCFileInAnArray(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	// Without the dictionary: NewMappedFileReader of arrow-go 18.8 panics on one.
	plain := arrow.NewSchema(schema.Fields()[:5], nil)
	want := array.NewRecordBatch(plain, build(t, memory.NewGoAllocator(), 1000).Columns()[:5], 1000)
	var file bytes.Buffer
	out, err := ipc.NewFileWriter(&file, ipc.WithSchema(plain))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Write(want), out.Close()); err != nil {
		t.Fatal(err)
	}
	a, err := sharedmem.CopyOf(arena, file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	handle, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}

	var there sharedmem.Array[byte]
	if err := there.UnmarshalBinary(handle); err != nil {
		t.Fatal(err)
	}
	in, err := ipc.NewMappedFileReader(there.Slice())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	got, err := in.RecordBatchAt(0)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	if !array.RecordEqual(got, want) {
		t.Error("the batch is not what was written")
	}
	begin, end := address(a.Slice()), address(a.Slice())+uintptr(a.Len())
	for i, c := range got.Columns() {
		for k, b := range c.Data().Buffers() {
			if b == nil || b.Len() == 0 {
				continue
			}
			if at := address(b.Bytes()); at < begin || at >= end || at%8 != 0 {
				t.Errorf("buffer %d of column %d is a copy, or at an odd place", k, i)
			}
		}
	}
}

func TestBudget(t *testing.T) {
	const limit = 4096
	arena := newArena(t, sharedmem.ArenaOptions{MaxBytes: limit})
	b := array.NewInt64Builder(arena)
	err := func() (err error) {
		defer func() { err, _ = recover().(error) }()
		for i := range int64(10_000) {
			b.Append(i)
		}
		return nil
	}()
	var over *sharedmem.BudgetError
	if !errors.As(err, &over) || over.Limit != limit || over.Need == 0 || over.InUse == 0 || over.InUse > limit {
		t.Fatalf("the builder went over the limit, with the panic %#v", err)
	}
	b.Release()
	wantEmpty(t, arena)

	// The arena goes on, and Arrow's own recover keeps the error.
	rec := build(t, memory.NewGoAllocator(), 1000)
	out := ipc.NewWriter(io.Discard, ipc.WithSchema(schema), ipc.WithAllocator(arena), ipc.WithZstd())
	over = nil
	if err := out.Write(rec); !errors.As(err, &over) || over.Limit != limit {
		t.Errorf("a writer without memory: %v", err)
	}
}

// Who closes the arena first has freed everything; to release it later is harmless.
func TestReleaseAfterClose(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	rec := build(t, arena, 100)
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	rec.Release()
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, sharedmem.ErrClosed) {
			t.Errorf("a builder in an arena that is closed: %v", err)
		}
	}()
	build(t, arena, 1)
}
