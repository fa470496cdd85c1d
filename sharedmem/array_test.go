package sharedmem_test

import (
	"fmt"
	"math"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
	"github.com/jobgen/jobgen/sharedmem"
)

// model is what an array should hold: values by index, in a plain map.
type model struct {
	shape  []int
	values map[string]int64
}

func key(idx []int) string { return fmt.Sprint(idx) }

// indices calls f with all indices of a shape, the last running fastest.
func indices(shape []int, f func(idx []int)) {
	if slices.Contains(shape, 0) {
		return
	}
	idx := make([]int, len(shape))
	for {
		f(idx)
		k := len(idx) - 1
		for ; k >= 0; k-- {
			if idx[k]++; idx[k] < shape[k] {
				break
			}
			idx[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// spelled is At with a number of indices that the compiler knows, which leaves only what At does for that number.
func spelled(a sharedmem.Array[int64], idx []int) int64 {
	switch len(idx) {
	case 1:
		return a.At(idx[0])
	case 2:
		return a.At(idx[0], idx[1])
	case 3:
		return a.At(idx[0], idx[1], idx[2])
	case 4:
		return a.At(idx[0], idx[1], idx[2], idx[3])
	}
	return a.At(idx...)
}

// checkRefusals tries each index that lies just beside an axis, from a random place.
func (m model) checkRefusals(t *rapid.T, a sharedmem.Array[int64]) {
	idx := make([]int, len(m.shape))
	for k, n := range m.shape {
		idx[k] = rapid.IntRange(0, max(n-1, 0)).Draw(t, "index")
	}
	refused := func(call string, f func()) {
		defer func() {
			if recover() == nil {
				t.Fatalf("%s of %v is not refused by %v with strides %v", call, idx, a, a.Strides())
			}
		}()
		f()
	}
	for k, n := range m.shape {
		for _, beside := range []int{-1, n, math.MinInt, math.MaxInt, math.MaxInt/2 + 1} {
			was := idx[k]
			idx[k] = beside
			refused("At", func() { a.At(idx...) })
			refused("At, spelled out,", func() { spelled(a, idx) })
			refused("Set", func() { a.Set(1, idx...) })
			idx[k] = was
		}
	}
	refused("At, with one index less,", func() { a.At(idx[1:]...) })
	refused("Set, with one index more,", func() { a.Set(1, append(idx, 0)...) })
}

func (m model) check(t *rapid.T, a sharedmem.Array[int64]) {
	if !slices.Equal(a.Shape(), m.shape) {
		t.Fatalf("shape %v, want %v", a.Shape(), m.shape)
	}
	var want []int64
	indices(m.shape, func(idx []int) {
		v := m.values[key(idx)]
		if got := a.At(idx...); got != v {
			t.Fatalf("%v at %v, want %v, in %v with strides %v", got, idx, v, a, a.Strides())
		}
		if got := spelled(a, idx); got != v {
			t.Fatalf("%v at %v, want %v, in %v with strides %v, with the indices spelled out", got, idx, v, a, a.Strides())
		}
		want = append(want, v)
	})
	if a.Len() != len(want) {
		t.Fatalf("Len %d, want %d", a.Len(), len(want))
	}
	if got := a.AppendTo(nil); !slices.Equal(got, want) {
		t.Fatalf("AppendTo %v, want %v", got, want)
	}
	n := 0
	for i, v := range a.All() {
		if i != n || v != want[i] {
			t.Fatalf("All yields %d, %d, want %d, %d", i, v, n, want[n])
		}
		n++
	}
	if n != len(want) {
		t.Fatalf("All yields %d elements, want %d", n, len(want))
	}
	if a.Contiguous() {
		if got := a.Slice(); !slices.Equal(got, want) {
			t.Fatalf("Slice %v, want %v", got, want)
		}
	}
}

// window is what a windowing method makes of the model: from maps an index of the window to one of m.
func (m model) window(shape []int, from func(idx []int) []int) model {
	w := model{shape: shape, values: map[string]int64{}}
	indices(shape, func(idx []int) { w.values[key(idx)] = m.values[key(from(idx))] })
	return w
}

// Random arrays, and windows of windows of them, hold what a plain map says, also after the handle has
// been encoded and decoded.
func TestWindowsAgainstModel(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	rapid.Check(t, func(t *rapid.T) {
		if err := arena.Reset(); err != nil {
			t.Fatal(err)
		}
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 5).Draw(t, "shape")
		a, err := sharedmem.Alloc[int64](arena, shape...)
		if err != nil {
			t.Fatal(err)
		}
		m := model{shape: shape, values: map[string]int64{}}
		indices(shape, func(idx []int) {
			v := rapid.Int64().Draw(t, "value")
			m.values[key(idx)] = v
			a.Set(v, idx...)
		})
		m.check(t, a)
		m.checkRefusals(t, a)
		for range rapid.IntRange(0, 4).Draw(t, "windows") {
			a, m = cut(t, a, m)
			m.check(t, a)
			m.checkRefusals(t, a)
		}
		encoded, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var b sharedmem.Array[int64]
		if err := b.UnmarshalBinary(encoded); err != nil {
			t.Fatal(err)
		}
		m.check(t, b)
		if a.Len() > 0 {
			last := make([]int, len(m.shape))
			for k, n := range m.shape {
				last[k] = n - 1
			}
			b.Set(42, last...)
			if a.At(last...) != 42 {
				t.Fatal("what the decoded array changes, the other does not see")
			}
		}
	})
}

// cut takes a random window.
func cut(t *rapid.T, a sharedmem.Array[int64], m model) (sharedmem.Array[int64], model) {
	axis := rapid.IntRange(0, len(m.shape)-1).Draw(t, "axis")
	lo := rapid.IntRange(0, m.shape[axis]).Draw(t, "lo")
	hi := rapid.IntRange(lo, m.shape[axis]).Draw(t, "hi")
	shape := slices.Clone(m.shape)
	switch rapid.SampledFrom([]string{"Rows", "Window", "Sub", "T", "Reshape"}).Draw(t, "method") {
	case "Rows":
		axis = 0
		lo = min(lo, shape[0])
		hi = max(lo, min(hi, shape[0]))
		shape[0] = hi - lo
		return a.Rows(lo, hi), m.window(shape, func(idx []int) []int {
			idx = slices.Clone(idx)
			idx[0] += lo
			return idx
		})
	case "Window":
		step := rapid.IntRange(1, 3).Draw(t, "step")
		shape[axis] = (hi - lo + step - 1) / step
		return a.Window(axis, lo, hi, step), m.window(shape, func(idx []int) []int {
			idx = slices.Clone(idx)
			idx[axis] = lo + step*idx[axis]
			return idx
		})
	case "Sub":
		if len(shape) > 1 && shape[0] > 0 {
			i := rapid.IntRange(0, shape[0]-1).Draw(t, "i")
			return a.Sub(i), m.window(shape[1:], func(idx []int) []int { return append([]int{i}, idx...) })
		}
	case "T":
		slices.Reverse(shape)
		return a.T(), m.window(shape, func(idx []int) []int {
			idx = slices.Clone(idx)
			slices.Reverse(idx)
			return idx
		})
	case "Reshape":
		flat := []int{a.Len()}
		b, err := a.Reshape(flat...)
		if err != nil {
			if a.Contiguous() {
				t.Fatal(err)
			}
			return a, m
		}
		all := a.AppendTo(nil)
		w := model{shape: flat, values: map[string]int64{}}
		for i, v := range all {
			w.values[key([]int{i})] = v
		}
		return b, w
	}
	return a, m
}

func TestElementTypes(t *testing.T) {
	type point struct {
		X, Y float64
		N    [3]int16
		ok   bool
	}
	type celsius float32
	elements(t, true, false, true)
	elements[int](t, -1, 2)
	elements[int8](t, -128, 127)
	elements[int16](t, -1, 2)
	elements[int32](t, -1, 2)
	elements[int64](t, -1, 1<<62)
	elements[uint](t, 1, 2)
	elements[uint8](t, 0, 255)
	elements[uint16](t, 1, 65535)
	elements[uint32](t, 1, 1<<31)
	elements[uint64](t, 1, 1<<63)
	elements[uintptr](t, 1, 2)
	elements[float32](t, -0.5, 1e30)
	elements(t, -0.5, 1e300)
	elements[complex64](t, 1+2i, 3)
	elements(t, 1+2i, 3)
	elements[celsius](t, 36.6, -273.15)
	elements(t, [2][2]uint8{{1, 2}, {3, 4}}, [2][2]uint8{{5, 6}, {7, 8}})
	elements(t, point{1, 2, [3]int16{3, 4, 5}, true}, point{Y: 1})
}

func elements[T comparable](t *testing.T, values ...T) {
	t.Run(reflect.TypeFor[T]().String(), func(t *testing.T) {
		arena := newArena(t, sharedmem.ArenaOptions{})
		a := must[T](t)(sharedmem.CopyOf(arena, values))
		if !slices.Equal(a.Slice(), values) {
			t.Errorf("CopyOf: %v, want %v", a.Slice(), values)
		}
		b := must[T](t)(sharedmem.Alloc[T](arena, 2, len(values)))
		for i, v := range values {
			b.Set(v, 1, i)
		}
		if got := b.Sub(1).AppendTo(nil); !slices.Equal(got, values) {
			t.Errorf("Set: %v, want %v", got, values)
		}
		if got := b.Rows(0, 1).Slice(); !slices.Equal(got, make([]T, len(values))) {
			t.Errorf("the first row is %v, not zero", got)
		}
		encoded, err := b.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var c sharedmem.Array[T]
		if err := c.UnmarshalBinary(encoded); err != nil || !slices.Equal(c.AppendTo(nil), b.Slice()) {
			t.Errorf("decoded: %v, %v", c, err)
		}
	})
}

func TestPointersAreRefused(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	type named struct {
		N    int
		Name string
	}
	type deep struct{ A [2]struct{ P *int } }
	refused[string](t, arena, "string is a string")
	refused[*int](t, arena, "*int is a pointer")
	refused[[]float64](t, arena, "[]float64 is a slice", "another dimension")
	refused[map[int]int](t, arena, "is a map")
	refused[any](t, arena, "is a interface")
	refused[func()](t, arena, "is a func")
	refused[chan int](t, arena, "is a channel")
	refused[named](t, arena, "named.Name is a string")
	refused[deep](t, arena, "deep.A[i].P is a pointer")
	refused[struct{}](t, arena, "has no size")
	refused[[0]int](t, arena, "has no size")
}

func refused[T any](t *testing.T, arena *sharedmem.Arena, parts ...string) {
	t.Helper()
	_, err := sharedmem.Alloc[T](arena, 3)
	if e := as[*sharedmem.TypeError](t, err); e.Type != reflect.TypeFor[T]() {
		t.Errorf("the error is about %v, want %v", e.Type, reflect.TypeFor[T]())
	}
	contains(t, err.Error(), parts...)
	var a sharedmem.Array[T]
	if err := a.UnmarshalBinary([]byte{0}); err == nil {
		t.Errorf("a handle of %v was decoded", reflect.TypeFor[T]())
	}
}

func TestShapes(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	const huge = math.MaxInt/2 + 1
	for _, test := range []struct {
		name  string
		make  func() error
		parts []string
	}{
		{"none", func() error { _, err := sharedmem.Alloc[int](arena); return err }, []string{"at least one dimension"}},
		{"nine", func() error { _, err := sharedmem.Alloc[int](arena, 1, 1, 1, 1, 1, 1, 1, 1, 1); return err }, []string{"at most 8"}},
		{"negative", func() error { _, err := sharedmem.Alloc[int](arena, 2, -1); return err }, []string{"(2, -1)", "negative"}},
		{"huge", func() error { _, err := sharedmem.Alloc[int](arena, huge, 2); return err }, []string{"more bytes"}},
		{"huge but empty", func() error { _, err := sharedmem.Alloc[int](arena, huge, 0, huge); return err }, []string{"more bytes"}},
		{"CopyOf", func() error { _, err := sharedmem.CopyOf(arena, make([]int, 6), 2, 4); return err }, []string{"(2, 4)", "(6,)", "6 elements cannot become 8"}},
		{"Stack", func() error { _, err := sharedmem.Stack(arena, [][]int{{1, 2}, {3}}); return err }, []string{"row 1 has 1 elements, row 0 has 2", "(1,)", "(2,)"}},
		{"Reshape", func() error {
			_, err := must[int](t)(sharedmem.Alloc[int](arena, 2, 3)).Reshape(7)
			return err
		}, []string{"(7,)", "(2, 3)", "6 elements cannot become 7"}},
		{"Reshape of transposed", func() error {
			_, err := must[int](t)(sharedmem.Alloc[int](arena, 2, 3)).T().Reshape(6)
			return err
		}, []string{"do not lie one after the other"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.make()
			as[*sharedmem.ShapeError](t, err)
			contains(t, err.Error(), test.parts...)
		})
	}
}

func TestStack(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[int](t)(sharedmem.Stack(arena, [][]int{{1, 2, 3}, {4, 5, 6}}))
	if !slices.Equal(a.Shape(), []int{2, 3}) || a.At(1, 0) != 4 {
		t.Errorf("%v: %v", a, a.Slice())
	}
	if s := arena.Stats(); s.Copied != 6*strconv.IntSize/8 {
		t.Errorf("%d bytes copied, of 6 elements", s.Copied)
	}
	for _, rows := range [][][]int{nil, {}, {{}, {}}} {
		a := must[int](t)(sharedmem.Stack(arena, rows))
		if a.Len() != 0 || len(a.Slice()) != 0 {
			t.Errorf("%v of no elements: %v", a, a.Slice())
		}
	}
	like := must[float32](t)(sharedmem.AllocLike[float32](arena, a))
	if !slices.Equal(like.Shape(), a.Shape()) {
		t.Errorf("AllocLike: %v", like)
	}
}

func TestIndexPanics(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	one := must[int](t)(sharedmem.Alloc[int](arena, 3))
	two := must[int](t)(sharedmem.Alloc[int](arena, 3, 4))
	three := must[int](t)(sharedmem.Alloc[int](arena, 2, 3, 4))
	four := must[int](t)(sharedmem.Alloc[int](arena, 2, 3, 4, 5))
	none := must[int](t)(sharedmem.Alloc[int](arena, 0, 4))
	for _, test := range []struct {
		name string
		call func()
		part string
	}{
		{"one beyond", func() { one.At(3) }, "At(3): index 3 of axis 0 is out of range, which is 0 to 2, of the int array of shape (3,), made at array_test.go:"},
		{"one below", func() { one.At(-1) }, "index -1 of axis 0 is out of range"},
		{"one with two", func() { one.At(0, 0) }, "At(0, 0): the number of indices is 2, not 1, for the int array"},
		{"one with none", func() { one.At() }, "At(): the number of indices is 0, not 1"},
		{"two with one", func() { two.At(0) }, "At(0): the number of indices is 1, not 2"},
		{"two with three", func() { two.At(0, 0, 0) }, "the number of indices is 3, not 2"},
		{"two beyond first", func() { two.At(3, 0) }, "At(3, 0): index 3 of axis 0 is out of range, which is 0 to 2"},
		{"two beyond last", func() { two.At(0, 4) }, "At(0, 4): index 4 of axis 1 is out of range, which is 0 to 3"},
		{"two below last", func() { two.At(1, -1) }, "index -1 of axis 1"},
		{"two far beyond first", func() { two.At(math.MaxInt/2+1, 0) }, fmt.Sprintf("index %d of axis 0", math.MaxInt/2+1)},
		{"two, Set beyond last", func() { two.Set(1, 0, 4) }, "Set(x, 0, 4): index 4 of axis 1 is out of range, which is 0 to 3"},
		{"two, Set below last", func() { two.Set(1, 1, -1) }, "index -1 of axis 1"},
		{"two, Set with one", func() { two.Set(1, 1) }, "Set(x, 1): the number of indices is 1, not 2"},
		{"two transposed, beyond first", func() { two.T().At(4, 0) }, "At(4, 0): index 4 of axis 0 is out of range, which is 0 to 3"},
		{"two transposed, Set beyond last", func() { two.T().Set(1, 0, 3) }, "index 3 of axis 1 is out of range, which is 0 to 2"},
		{"three beyond first", func() { three.At(2, 0, 0) }, "At(2, 0, 0): index 2 of axis 0 is out of range, which is 0 to 1"},
		{"three beyond middle", func() { three.At(0, 3, 0) }, "index 3 of axis 1 is out of range, which is 0 to 2"},
		{"three below middle", func() { three.Set(0, 1, -1, 0) }, "Set(x, 1, -1, 0): index -1 of axis 1"},
		{"three beyond last", func() { three.Set(0, 1, 2, 4) }, "index 4 of axis 2 is out of range, which is 0 to 3"},
		{"three transposed, beyond last", func() { three.T().At(3, 2, 2) }, "index 2 of axis 2 is out of range, which is 0 to 1"},
		{"three with two", func() { three.At(0, 0) }, "the number of indices is 2, not 3"},
		{"four beyond middle", func() { four.At(0, 3, 0, 0) }, "At(0, 3, 0, 0): index 3 of axis 1 is out of range, which is 0 to 2"},
		{"four below middle", func() { four.Set(0, 0, 0, -1, 0) }, "index -1 of axis 2"},
		{"four with three", func() { four.At(0, 0, 0) }, "the number of indices is 3, not 4"},
		{"nothing", func() { none.At(0, 0) }, "At(0, 0) of the int array of shape (0, 4), made at array_test.go:"},
		{"nothing, in words", func() { none.At(0, 0) }, ", which is empty"},
		{"too many", func() { four.At(make([]int, 20)...) }, "the number of indices is 20, not 4"},
		{"Rows", func() { two.Rows(2, 4) }, "Rows from 2 to 4 on axis 0"},
		{"Rows backwards", func() { two.Rows(2, 1) }, "Rows from 2 to 1"},
		{"Window", func() { two.Window(2, 0, 0, 1) }, "Window on axis 2"},
		{"Window step", func() { two.Window(0, 0, 1, 0) }, "in steps of 0"},
		{"Sub", func() { two.Sub(3) }, "Sub(3,) of the int array of shape (3, 4)"},
		{"Sub of all", func() { two.Sub(0, 0) }, "Sub(0, 0)"},
		{"Slice", func() { two.T().Slice() }, "strides (1, 4)"},
		{"zero", func() { new(sharedmem.Array[int]).Slice() }, "Slice of the zero Array"},
		{"zero At", func() { new(sharedmem.Array[int]).At(0) }, "nil pointer"},
	} {
		t.Run(test.name, func(t *testing.T) { contains(t, panics(t, test.call), test.part) })
	}
}

// At and Set are quick only because the compiler inlines them, and the closures in them; see index.go.
func TestInlining(t *testing.T) {
	if size := reflect.TypeFor[sharedmem.Array[float64]]().Size(); size > 4*unsafe.Sizeof(uintptr(0)) {
		t.Errorf("an Array has %d bytes, and so no place in registers", size)
	}
	if testing.Short() {
		t.Skip("builds the tests")
	}
	out, err := exec.Command("go", "test", "-gcflags=-m", "-run=^$", "-exec=true", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for loop, method := range map[string]string{"sum": "At", "fill": "Set"} {
		for _, want := range []string{
			"inlining call to sharedmem.Array[go.shape.float64]." + method,
			"inlining call to " + loop + ".Array[go.shape.float64]." + method + ".", // the closure in it
		} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the compiler does not say: %s", want)
			}
		}
	}
}

// placements are arrays of one to four dimensions over the memory of a: as it comes, transposed, with gaps on the last axis and
// on the first. At and Set do each in another way.
func placements(t *testing.T, a sharedmem.Array[int64]) map[string]sharedmem.Array[int64] {
	all := map[string]sharedmem.Array[int64]{}
	for dims, shape := range map[int][]int{1: {a.Len()}, 2: {4, a.Len() / 4}, 3: {4, a.Len() / 16, 4}, 4: {2, 2, a.Len() / 16, 4}} {
		plain := must[int64](t)(a.Reshape(shape...))
		for name, a := range map[string]sharedmem.Array[int64]{
			"plain":       plain,
			"transposed":  plain.T(),
			"last spread": plain.Window(dims-1, 0, plain.Dim(dims-1), 2),
			"rows spread": plain.Window(0, 0, plain.Dim(0), 2),
			"one column":  plain.Window(dims-1, 0, 1, 3),
		} {
			all[fmt.Sprintf("%d dimensions, %s", dims, name)] = a
		}
	}
	return all
}

// middle is a place in the middle of a.
func middle(a sharedmem.Array[int64]) []int {
	idx := a.Shape()
	for k := range idx {
		idx[k] /= 2
	}
	return idx
}

func TestIndexBesideEachAxis(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	for name, a := range placements(t, must[int64](t)(sharedmem.Alloc[int64](arena, 96))) {
		t.Run(name, func(t *testing.T) {
			a.Set(17, middle(a)...)
			if got := spelled(a, middle(a)); got != 17 {
				t.Errorf("%d after Set(17)", got)
			}
			for k := range a.Shape() {
				for _, beside := range []int{-1, a.Dim(k), math.MinInt, math.MaxInt} {
					wrong := middle(a)
					wrong[k] = beside
					for call, f := range map[string]func(){
						"At":  func() { spelled(a, wrong) },
						"Set": func() { a.Set(1, wrong...) },
					} {
						contains(t, panics(t, f), call+"(", fmt.Sprintf("index %d of axis %d", beside, k))
					}
				}
			}
		})
	}
}

// sum and fill are loops as users write them; TestInlining looks at them.
func sum(a sharedmem.Array[float64], rows, cols int) (s float64) {
	for i := range rows {
		for j := range cols {
			s += a.At(i, j)
		}
	}
	return s
}

func fill(a sharedmem.Array[float64], rows, cols int) {
	for i := range rows {
		for j := range cols {
			a.Set(float64(i*cols+j), i, j)
		}
	}
}

func TestAtAndSet(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 30, 40))
	fill(a, 30, 40)
	if got, want := sum(a, 30, 40), 1199*1200/2.0; got != want {
		t.Errorf("the sum is %v, want %v", got, want)
	}
}
