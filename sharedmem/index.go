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
// And a loop is quick if little is done each time, and if that goes straight on, without jumps but the one back:
//
//   - Where the elements of the last axis are neighbours, as in most arrays, an index on it is not multiplied. For other arrays what is
//     found that way is put right, which costs them two jumps. It is computed before the comparison, whose jump then
//     leads back to the loop; if it came after it, there would be one more.
//   - Of the limits only that of the first axis, which says whether the array is there at all, is read each time. The others, and what
//     else there is room for, are in the Array, and so in registers. In a loop that waits for memory fewer reads are more elements on
//     their way.
//   - In one dimension the offset is the index, or the index times the step. The compiler would copy the index behind the comparison, with a
//     jump; uint32 makes a copy of it before, which the compiler does not see through. Arrays of more than 1<<32 elements go the second way.
//   - The argument of the closure is read on the line of its call. A line with a call that is inlined has to have an instruction of
//     its own, and would else get one that does nothing.
//
// All else ends in a panic.

// limits are what the index on the first axis must stay below, by the number of indices. All are 0 but the one for as many as the array
// has dimensions, and that is 0 too when it has ended: so the comparison that tells a wrong index tells a wrong number of them, too, and
// an array that is no more. Arrays of more dimensions have a loop.
type limits struct{ one, two, three uint }

// At returns an element: At(i) of a one-dimensional array, At(i, j) of a two-dimensional one. It panics
// if an index is out of range, if there are not as many as dimensions, or if the array has ended.
func (a Array[T]) At(idx ...int) T {
	return func(step int) T {
		off, v := 0, a.v
		switch len(idx) {
		case 1:
			i := idx[0]
			off = int(uint32(i))
			if uint(i) >= v.read.one {
				if uint(i) >= v.readAny.one {
					panic(v.refuse(&v.readAny, i))
				}
				off = i * step
			}
		case 2:
			i, j := idx[0], idx[1]
			off = i*a.mid + j
			if uint(i) >= v.read.two || uint(j) >= uint(a.last) {
				if uint(i) >= v.readAny.two || uint(j) >= uint(a.last) {
					panic(v.refuse(&v.readAny, i, j))
				}
				off += j * v.spread
			}
		case 3:
			i, j, k := idx[0], idx[1], idx[2]
			off = i*step + j*v.step1 + k
			if uint(i) >= v.read.three || uint(j) >= uint(a.mid) || uint(k) >= uint(a.last) {
				if uint(i) >= v.readAny.three || uint(j) >= uint(a.mid) || uint(k) >= uint(a.last) {
					panic(v.refuse(&v.readAny, i, j, k))
				}
				off += k * v.spread
			}
		default:
			off = v.place(&v.readAny, idx)
		}
		return *element(a.first, off)
	}(a.v.step0)
}

// Set changes an element: Set(x, i, j) is a[i][j] = x. It panics as At does, and if the array is read-only.
func (a Array[T]) Set(x T, idx ...int) {
	// The same as At; what they have in common would be one function if that were inlined, too.
	func(step int) {
		off, v := 0, a.v
		switch len(idx) {
		case 1:
			i := idx[0]
			off = int(uint32(i))
			if uint(i) >= v.write.one {
				if uint(i) >= v.writeAny.one {
					panic(v.refuse(&v.writeAny, i))
				}
				off = i * step
			}
		case 2:
			i, j := idx[0], idx[1]
			off = i*a.mid + j
			if uint(i) >= v.write.two || uint(j) >= uint(a.last) {
				if uint(i) >= v.writeAny.two || uint(j) >= uint(a.last) {
					panic(v.refuse(&v.writeAny, i, j))
				}
				off += j * v.spread
			}
		case 3:
			i, j, k := idx[0], idx[1], idx[2]
			off = i*step + j*v.step1 + k
			if uint(i) >= v.write.three || uint(j) >= uint(a.mid) || uint(k) >= uint(a.last) {
				if uint(i) >= v.writeAny.three || uint(j) >= uint(a.mid) || uint(k) >= uint(a.last) {
					panic(v.refuse(&v.writeAny, i, j, k))
				}
				off += k * v.spread
			}
		default:
			off = v.place(&v.writeAny, idx)
		}
		*element(a.first, off) = x
	}(a.v.step0)
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
	v.step0, v.spread = v.strides[0], v.gap()-1
	if len(v.shape) > 1 {
		v.step1 = v.strides[1]
	}
	v.clear()
	v.readAny = limitsOf(v.shape)
	if v.rowsAreSlices() {
		v.read = v.readAny
		if uint64(v.read.one) > 1<<32 {
			v.read.one = 0 // At and Set cut an index off there before they compare it
		}
	}
	if !v.readOnly {
		v.write, v.writeAny = v.read, v.readAny
	}
}

// rowsAreSlices reports whether the elements of the last axis are neighbours, or whether there are not even two.
func (v *view) rowsAreSlices() bool { return v.shape[len(v.shape)-1] < 2 || v.gap() == 1 }

// clear has At and Set refuse every index.
func (v *view) clear() {
	v.read, v.write, v.readAny, v.writeAny = limits{}, limits{}, limits{}, limits{}
}

func limitsOf(shape []int) (l limits) {
	n := uint(shape[0])
	switch len(shape) {
	case 1:
		l.one = n
	case 2:
		l.two = n
	case 3:
		l.three = n
	}
	return l
}
