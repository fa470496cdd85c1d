package interop

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/jobgen/jobgen/sharedmem"
)

func newArena(t testing.TB, opts sharedmem.ArenaOptions) *sharedmem.Arena {
	arena, err := sharedmem.NewArena(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := arena.Close(); err != nil {
			t.Error(err)
		}
	})
	return arena
}

func alloc[T any](t testing.TB, arena *sharedmem.Arena, shape ...int) sharedmem.Array[T] {
	a, err := sharedmem.Alloc[T](arena, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// integers makes a matrix of small integers: sums and products of such are exact, in whatever order
// they are added up.
func integers(t testing.TB, arena *sharedmem.Arena, rng *rand.Rand, rows, cols int) sharedmem.Array[float64] {
	a := alloc[float64](t, arena, rows, cols)
	for i := range a.Slice() {
		a.Slice()[i] = float64(rng.IntN(19) - 9)
	}
	return a
}

// dense is an array as gonum sees it.
func dense(a sharedmem.Array[float64]) *mat.Dense {
	return mat.NewDense(a.Shape()[0], a.Shape()[1], a.Slice())
}

// begin is where the elements of a matrix are.
func begin(m mat.RawMatrixer) *float64 { return &m.RawMatrix().Data[0] }

func TestDenseIsTheArray(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := integers(t, arena, rand.New(rand.NewPCG(1, 2)), 4, 5)
	m := dense(a)
	if begin(m) != &a.Slice()[0] {
		t.Fatal("the matrix is a copy")
	}
	m.Set(1, 2, 100)
	a.Set(200, 2, 1)
	if a.At(1, 2) != 100 || m.At(2, 1) != 200 {
		t.Error("what one of the two writes, the other does not see")
	}

	// Gonum's own windows are windows of the array, and the array's have the same elements.
	m.Slice(1, 4, 2, 4).(*mat.Dense).Set(2, 1, 300)
	m.RowView(0).(*mat.VecDense).SetVec(4, 400)
	m.ColView(0).(*mat.VecDense).SetVec(3, 500)
	if a.At(3, 3) != 300 || a.At(0, 4) != 400 || a.At(3, 0) != 500 {
		t.Errorf("what was written to a window is not in the array: %v", a.Slice())
	}
	equal := func(what string, m mat.Matrix, a sharedmem.Array[float64]) {
		t.Helper()
		rows, cols := m.Dims()
		if s := a.Shape(); rows != s[0] || cols != s[1] {
			t.Fatalf("%s: gonum's shape is (%d, %d), the array's %v", what, rows, cols, s)
		}
		for i := range rows {
			for j := range cols {
				if m.At(i, j) != a.At(i, j) {
					t.Errorf("%s: element (%d, %d) is %v and %v", what, i, j, m.At(i, j), a.At(i, j))
				}
			}
		}
	}
	equal("all", m, a)
	equal("transposed", m.T(), a.T())
	equal("some rows", dense(a.Rows(1, 3)), a.Rows(1, 3))
	equal("some columns", m.Slice(0, 4, 1, 4), a.Window(1, 1, 4, 1))
	equal("a part", m.Slice(2, 4, 1, 4).T(), a.Rows(2, 4).Window(1, 1, 4, 1).T())

	for i := range 4 {
		row, sum := a.Sub(i), 0.0
		for j := range 5 {
			sum += a.At(i, j)
		}
		if got := floats.Sum(row.Slice()); got != sum {
			t.Errorf("floats.Sum of row %d is %v, not %v", i, got, sum)
		}
		floats.Scale(2, row.Slice())
		if got := mat.Sum(m.RowView(i)); got != 2*sum {
			t.Errorf("row %d, scaled by 2, has the sum %v, not %v", i, got, 2*sum)
		}
	}
}

func TestMulInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	// Gonum multiplies small matrices in one way, and large ones by blocks, in several goroutines.
	for _, n := range []int{1, 3, 20, 150} {
		arena := newArena(t, sharedmem.ArenaOptions{})
		a, b := integers(t, arena, rng, n, n+2), integers(t, arena, rng, n+2, n+1)
		product := alloc[float64](t, arena, n, n+1)
		m := dense(product)
		m.Mul(dense(a), dense(b))
		if begin(m) != &product.Slice()[0] {
			t.Fatalf("n %d: Mul has moved its result", n)
		}
		for i := range n {
			for j := range n + 1 {
				want := 0.0
				for k := range n + 2 {
					want += a.At(i, k) * b.At(k, j)
				}
				if got := product.At(i, j); got != want {
					t.Fatalf("n %d: element (%d, %d) of the product is %v, not %v", n, i, j, got, want)
				}
			}
		}

		// The result may be one of the factors, and be transposed on the way.
		want := mat.NewDense(n, n+1, nil)
		right := dense(integers(t, arena, rng, n+1, n+1))
		want.Mul(mat.DenseCopyOf(m), right.T())
		m.Mul(m, right.T())
		if begin(m) != &product.Slice()[0] || !mat.Equal(want, dense(product)) {
			t.Errorf("n %d: m.Mul(m, x) is wrong, or not in the array", n)
		}
	}
}

// Gonum refuses to write what it reads; it has to see that in arrays too.
func TestOverlapIsSeen(t *testing.T) {
	a := alloc[float64](t, newArena(t, sharedmem.ArenaOptions{}), 4, 3)
	defer func() {
		if recover() == nil {
			t.Error("rows 0 to 2 were added to rows 1 to 3, without a panic")
		}
	}()
	dense(a.Rows(1, 4)).Add(dense(a.Rows(0, 3)), dense(a.Rows(0, 3)))
}

// An array's slice has no room behind it, so what outgrows it moves away, and does not run into its neighbour.
func TestGrowthMovesOut(t *testing.T) {
	arena := newArena(t, sharedmem.ArenaOptions{})
	a, neighbour := alloc[float64](t, arena, 2, 2), alloc[float64](t, arena, 2, 2)
	m := dense(a)
	grown := m.Grow(3, 0).(*mat.Dense)
	grown.Set(4, 1, 1)
	_ = append(a.Slice(), 1, 2, 3)
	if begin(grown) == begin(m) {
		t.Error("the matrix has grown where it was")
	}
	if floats.Sum(neighbour.Slice()) != 0 || floats.Sum(a.Slice()) != 0 {
		t.Error("a matrix that has grown has written to an array")
	}

	// A matrix that was reset is filled again in the array, as far as that reaches.
	m.Reset()
	m.Mul(mat.NewDense(2, 1, []float64{1, 2}), mat.NewDense(1, 2, []float64{3, 4}))
	if a.At(1, 1) != 8 {
		t.Errorf("Mul into a matrix that was reset is not in the array: %v", a.Slice())
	}
}

const tolerance = 1e-9

func TestLeastSquares(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	arena := newArena(t, sharedmem.ArenaOptions{})
	a, x := integers(t, arena, rng, 30, 5), integers(t, arena, rng, 5, 2)
	before := a.AppendTo(nil)
	b, solved := alloc[float64](t, arena, 30, 2), alloc[float64](t, arena, 5, 2)
	dense(b).Mul(dense(a), dense(x))

	var qr mat.QR
	qr.Factorize(dense(a))
	if err := qr.SolveTo(dense(solved), false, dense(b)); err != nil {
		t.Fatal(err)
	}
	if !floats.EqualApprox(solved.Slice(), x.Slice(), tolerance) {
		t.Errorf("QR solves to %v, not %v", solved.Slice(), x.Slice())
	}

	var svd mat.SVD
	if !svd.Factorize(dense(a), mat.SVDThin) {
		t.Fatal("SVD does not converge")
	}
	clear(solved.Slice())
	svd.SolveTo(dense(solved), dense(b), svd.Rank(1e-12))
	if !floats.EqualApprox(solved.Slice(), x.Slice(), tolerance) {
		t.Errorf("SVD solves to %v, not %v", solved.Slice(), x.Slice())
	}
	if !floats.Equal(a.Slice(), before) {
		t.Error("a factorization has changed its input")
	}
}

// LAPACK itself works in place: the factor replaces the matrix.
func TestCholeskyInPlace(t *testing.T) {
	const n = 100 // more than a block of LAPACK's
	arena := newArena(t, sharedmem.ArenaOptions{})
	root := dense(integers(t, arena, rand.New(rand.NewPCG(7, 8)), n, n))
	a := alloc[float64](t, arena, n, n)
	for i := range n {
		a.Set(n, i, i)
	}
	mat.NewSymDense(n, a.Slice()).SymOuterK(1, root) // only the upper triangle is written
	m := mat.NewSymDense(n, a.Slice())
	for i := range n {
		m.SetSym(i, i, m.At(i, i)+1) // so that it is positive definite
	}
	want := mat.NewDense(n, n, nil)
	want.Copy(m)

	var chol mat.Cholesky
	if !chol.Factorize(m) {
		t.Fatal("Cholesky: not positive definite")
	}
	logDet := chol.LogDet()

	factor, ok := lapack64.Potrf(m.RawSymmetric())
	if !ok || &factor.Data[0] != &a.Slice()[0] {
		t.Fatalf("Potrf: ok %v, or not in place", ok)
	}
	u, got := mat.NewTriDense(n, mat.Upper, a.Slice()), mat.NewDense(n, n, nil)
	got.Mul(u.T(), u)
	if !mat.EqualApprox(got, want, tolerance*n*n) {
		t.Error("the product of the factors is not the matrix")
	}
	sum := 0.0
	for i := range n {
		sum += 2 * math.Log(a.At(i, i))
	}
	if math.Abs(sum-logDet) > tolerance {
		t.Errorf("the determinant's logarithm is %v in the array, and %v says gonum", sum, logDet)
	}
}

// A column has a stride, which BLAS takes as it is: Strides counts in elements, as BLAS does.
func TestBLASStrides(t *testing.T) {
	a := integers(t, newArena(t, sharedmem.ArenaOptions{}), rand.New(rand.NewPCG(9, 10)), 6, 4)
	column := a.T().Sub(1)
	v := blas64.Vector{N: column.Len(), Data: a.Slice()[1:], Inc: column.Strides()[0]}
	want := 0.0
	for _, x := range column.All() {
		want += x * x
	}
	if got := blas64.Dot(v, v); got != want {
		t.Errorf("the dot product of a column with itself is %v, not %v", got, want)
	}
	blas64.Scal(0, v)
	if got := floats.Sum(column.AppendTo(nil)); got != 0 {
		t.Errorf("the column was made zero, and has the sum %v", got)
	}
}
