package main

import (
	"context"
	"sync"
	"sync/atomic"
)

// What one writes without a library. Nothing here survives a panic.

func serialMap(ctx context.Context, inputs []int) ([]uint64, error) {
	out := make([]uint64, len(inputs))
	for i, in := range inputs {
		v, err := try(in)
		if err != nil {
			return out, err
		}
		out[i] = v
	}
	return out, nil
}

// indexMap has goroutines take the next job's number from one counter.
func indexMap(ctx context.Context, inputs []int) ([]uint64, error) {
	out := make([]uint64, len(inputs))
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range min(workers(), len(inputs)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(inputs) {
					return
				}
				v, err := try(inputs[i])
				if err != nil {
					once.Do(func() { first = err; cancel() })
					return
				}
				out[i] = v
			}
		})
	}
	wg.Wait()
	if first == nil && int(next.Load()) < len(inputs) {
		first = ctx.Err()
	}
	return out, first
}

// halvesMap gives each goroutine an equal part of the inputs in advance.
func halvesMap(ctx context.Context, inputs []int) ([]uint64, error) {
	out := make([]uint64, len(inputs))
	n := workers()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for w := range n {
		lo, hi := len(inputs)*w/n, len(inputs)*(w+1)/n
		wg.Go(func() {
			for i := lo; i < hi; i++ {
				v, err := try(inputs[i])
				if err != nil {
					errs[w] = err
					return
				}
				out[i] = v
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return out, err
		}
	}
	return out, nil
}
