package sharedmem

import (
	"fmt"
	"strings"
)

// At and Set are called in the innermost loops of other people's programs, and a call of a function would cost more than
// all that they do. So two things about how Go is compiled have made them what they are.
//
// The compiler inlines functions of a cost of 80 at the most, which a general At does not fit into. A closure that is
// called once, where it is made, is inlined up to ten times that. If its cost is above 160 it counts for the function
// around it as no more than any call, which fits (cmd/compile/internal/inline: inlineClosureCalledOnceCost, inlineCostOK). Once
// all is inlined the number of indices is known, and what is written here for other numbers is gone, with the slice
// idx. TestInlining notices if a new compiler does otherwise.
//
// And a loop is quick if the path that it takes each time goes straight on. Where the elements of the last axis are neighbours, as
// in most arrays, that path has a multiplication less; others go a second way, which costs two jumps. (In one dimension
// the jumps would cost as much as the multiplication.) All else ends in a panic.

// limits are what indices must stay below, by their number. All are 0 but those for as many as the array has
// dimensions, and these are 0 too when it has ended: so the comparisons that tell a wrong index tell a wrong number of them,
// too, and an array that is no more. Arrays of more dimensions have a loop.
type limits struct {
	one   uint
	two   [2]uint
	three [3]uint
}

// At returns an element: At(i) of a one-dimensional array, At(i, j) of a two-dimensional one. It panics
// if an index is out of range, if there are not as many as dimensions, or if the array has ended.
func (a Array[T]) At(idx ...int) T {
	return func() T {
		off, v := 0, a.v
		switch len(idx) {
		case 1:
			i := idx[0]
			if uint(i) >= v.readAny.one {
				panic(v.refuse(&v.readAny, i))
			}
			off = i * v.steps[0]
		case 2:
			i, j := idx[0], idx[1]
			if uint(i) < v.read.two[0] && uint(j) < v.read.two[1] {
				off = i*v.steps[0] + j
			} else {
				if uint(i) >= v.readAny.two[0] || uint(j) >= v.readAny.two[1] {
					panic(v.refuse(&v.readAny, i, j))
				}
				off = i*v.steps[0] + j*v.steps[1]
			}
		case 3:
			i, j, k := idx[0], idx[1], idx[2]
			if uint(i) < v.read.three[0] && uint(j) < v.read.three[1] && uint(k) < v.read.three[2] {
				off = i*v.steps[0] + j*v.steps[1] + k
			} else {
				if uint(i) >= v.readAny.three[0] || uint(j) >= v.readAny.three[1] || uint(k) >= v.readAny.three[2] {
					panic(v.refuse(&v.readAny, i, j, k))
				}
				off = i*v.steps[0] + j*v.steps[1] + k*v.steps[2]
			}
		default:
			off = v.place(&v.readAny, idx)
		}
		return *element(a.data, off)
	}()
}

// Set changes an element: Set(x, i, j) is a[i][j] = x. It panics as At does, and if the array is read-only.
func (a Array[T]) Set(x T, idx ...int) {
	// The same as At; what they have in common would be one function if that were inlined, too.
	func() {
		off, v := 0, a.v
		switch len(idx) {
		case 1:
			i := idx[0]
			if uint(i) >= v.writeAny.one {
				panic(v.refuse(&v.writeAny, i))
			}
			off = i * v.steps[0]
		case 2:
			i, j := idx[0], idx[1]
			if uint(i) < v.write.two[0] && uint(j) < v.write.two[1] {
				off = i*v.steps[0] + j
			} else {
				if uint(i) >= v.writeAny.two[0] || uint(j) >= v.writeAny.two[1] {
					panic(v.refuse(&v.writeAny, i, j))
				}
				off = i*v.steps[0] + j*v.steps[1]
			}
		case 3:
			i, j, k := idx[0], idx[1], idx[2]
			if uint(i) < v.write.three[0] && uint(j) < v.write.three[1] && uint(k) < v.write.three[2] {
				off = i*v.steps[0] + j*v.steps[1] + k
			} else {
				if uint(i) >= v.writeAny.three[0] || uint(j) >= v.writeAny.three[1] || uint(k) >= v.writeAny.three[2] {
					panic(v.refuse(&v.writeAny, i, j, k))
				}
				off = i*v.steps[0] + j*v.steps[1] + k*v.steps[2]
			}
		default:
			off = v.place(&v.writeAny, idx)
		}
		*element(a.data, off) = x
	}()
}

// place returns where an element of an array with many dimensions lies.
func (v *view) place(r *limits, idx []int) int {
	if len(idx) != len(v.shape) || v.ended != nil || r == &v.writeAny && v.readOnly {
		panic(v.refuse(r, idx...))
	}
	off := 0
	for k, i := range idx {
		if uint(i) >= uint(v.shape[k]) {
			panic(v.refuse(r, idx...))
		}
		off += i * v.strides[k]
	}
	return off
}

// refuse returns the value of the panic of an At or Set that cannot be.
func (v *view) refuse(r *limits, idx ...int) error {
	op, args := "At", shapeText(idx)
	if r == &v.writeAny {
		op, args = "Set", strings.Replace(args, "(", "(x, ", 1)
	}
	if len(idx) == 1 {
		args = strings.Replace(args, ",)", ")", 1) // a call, not a shape
	}
	switch {
	case v.ended != nil:
		return v.misuse(op)
	case len(idx) != len(v.shape):
		return misuse(fmt.Sprintf("sharedmem: %s%s: the number of indices is %d, not %d, for the %s", op, args, len(idx), len(v.shape), v.describe()))
	}
	for k, i := range idx {
		switch n := v.shape[k]; {
		case n == 0:
			return misuse(fmt.Sprintf("sharedmem: %s%s of the %s, which is empty", op, args, v.describe()))
		case i < 0 || i >= n:
			return misuse(fmt.Sprintf("sharedmem: %s%s: index %d of axis %d is out of range, which is 0 to %d, of the %s", op, args, i, k, n-1, v.describe()))
		}
	}
	return misuse(fmt.Sprintf("sharedmem: %s%s of the %s, which is read-only here: return what is new, or map a file with UpdateNPY", op, args, v.describe()))
}

// limit fills in what At and Set look at.
func (v *view) limit() {
	if contiguous(v.shape, v.strides) {
		v.strides = rowMajor(v.shape) // also on axes with one place, where it makes no difference
	}
	copy(v.steps[:], v.strides)
	v.clear()
	v.readAny = limitsOf(v.shape)
	if d := len(v.shape); d > 0 && v.strides[d-1] == 1 {
		v.read = v.readAny
	}
	if !v.readOnly {
		v.write, v.writeAny = v.read, v.readAny
	}
}

// clear has At and Set refuse every index.
func (v *view) clear() {
	v.read, v.write, v.readAny, v.writeAny = limits{}, limits{}, limits{}, limits{}
}

func limitsOf(shape []int) (l limits) {
	n := func(axis int) uint { return uint(shape[axis]) }
	switch len(shape) {
	case 1:
		l.one = n(0)
	case 2:
		l.two = [2]uint{n(0), n(1)}
	case 3:
		l.three = [3]uint{n(0), n(1), n(2)}
	}
	return l
}
