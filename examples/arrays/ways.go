package main

import (
	"context"
	"errors"
	"iter"
	"runtime/debug"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// way is a way to make arrays and compute their variances.
type way struct {
	name    string
	measure func(ctx context.Context, p plan, r *row) error // into r
}

var ways = []way{{"plain", plain}, {"copied", copied}, {"born", born}}

// plain has the arrays on the heap.
func plain(ctx context.Context, p plan, r *row) error {
	arrays := make([][]float64, p.n)
	err := r.make.time(func() error {
		var parts []part
		for i := range arrays {
			arrays[i] = make([]float64, p.length)
			parts = append(parts, p.parts(arrays[i], i)...)
		}
		return p.fill(ctx, r, parts)
	})
	if err != nil {
		return err
	}
	r.noteHeap()
	return r.run.time(func() (err error) {
		r.variances, err = NewVarianceRunner(p.options(&r.ran)...).Run(ctx, arrays)
		return err
	})
}

// copied makes one array after the other on the heap, copies it into an arena, and lets go of it. To
// make all of them first would take twice the memory, and no less time.
func copied(ctx context.Context, p plan, r *row) error {
	return inArena(ctx, p, r, func(arena *sharedmem.Arena, arrays []sharedmem.Array[float64]) error {
		for i := range arrays {
			var x []float64
			err := r.make.time(func() error {
				x = make([]float64, p.length)
				return p.fill(ctx, r, p.parts(x, i))
			})
			if err != nil {
				return err
			}
			err = r.copy.time(func() (err error) {
				arrays[i], err = sharedmem.CopyOf(arena, x)
				return err
			})
			if err != nil {
				return err
			}
			r.noteHeap()
			x = nil
			letGo() // or the next one would have memory that is warm, which plain has not
		}
		return nil
	})
}

// born has the arrays in an arena from the beginning.
func born(ctx context.Context, p plan, r *row) error {
	return inArena(ctx, p, r, func(arena *sharedmem.Arena, arrays []sharedmem.Array[float64]) error {
		return r.make.time(func() (err error) {
			var parts []SharedFillJob
			for i := range arrays {
				if arrays[i], err = sharedmem.Alloc[float64](arena, p.length); err != nil {
					return err
				}
				for lo, hi := range cut(p.length) {
					parts = append(parts, SharedFillJob{X: arrays[i].Rows(lo, hi), At: p.at(i, lo)})
				}
			}
			_, err = NewSharedFillRunner(p.seed, p.options(&r.filled)...).Run(ctx, parts)
			return err
		})
	})
}

// inArena makes an arena, has its arrays made, and computes their variances.
func inArena(ctx context.Context, p plan, r *row, fill func(*sharedmem.Arena, []sharedmem.Array[float64]) error) (err error) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: r.way})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, arena.Close()) }()
	arrays := make([]sharedmem.Array[float64], p.n)
	if err := fill(arena, arrays); err != nil {
		return err
	}
	r.noteHeap()
	r.arena = arena.Stats()
	return r.run.time(func() (err error) {
		r.variances, err = NewSharedVarianceRunner(p.options(&r.ran)...).Run(ctx, arrays)
		return err
	})
}

// part is a part of an array on the heap.
type part struct {
	x  []float64
	at uint64
}

// parts are those of x, the i-th array.
func (p plan) parts(x []float64, i int) (parts []part) {
	for lo, hi := range cut(len(x)) {
		parts = append(parts, part{x: x[lo:hi], at: p.at(i, lo)})
	}
	return parts
}

// fill fills parts. Map stays in this process, whatever -processes or the environment say.
func (p plan) fill(ctx context.Context, r *row, parts []part) error {
	_, err := jobgen.Map(ctx, parts, func(_ context.Context, part part) (struct{}, error) {
		Fill(part.x, part.at, p.seed)
		return struct{}{}, nil
	}, p.here(&r.filled)...)
	return err
}

// at numbers the elements of all arrays.
func (p plan) at(array, element int) uint64 { return uint64(array*p.length + element) }

// partLength is how many elements one job fills: few enough for all workers to help with one array.
const partLength = 1 << 20

// cut yields the bounds of the parts of an array of n elements.
func cut(n int) iter.Seq2[int, int] {
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < n; lo += partLength {
			if !yield(lo, min(lo+partLength, n)) {
				return
			}
		}
	}
}

// letGo gives memory that nobody uses back to the system, so that what comes next has to take its own.
func letGo() {
	sharedmem.TrimPool() // what closed arenas have left
	debug.FreeOSMemory()
}
