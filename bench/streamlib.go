package main

import (
	"context"
	"slices"
	"sync"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/sourcegraph/conc/stream"
)

// streamLibrary is a way to run jobs while their inputs are still being read, and to hand their
// results on in order. The other peers have none: they gather all results, or give them unordered.
type streamLibrary struct {
	name string
	hand bool

	// each runs try on every input, and calls yield with the results in order.
	each func(ctx context.Context, inputs []int, yield func(uint64)) error
}

func streamLibraries() []*streamLibrary {
	return []*streamLibrary{
		{name: "jobgen", each: jobgenStream},
		{name: "conc stream", each: concStream},
		{name: "channels", hand: true, each: channelStream},
		{name: "serial", hand: true, each: serialStream},
	}
}

func jobgenStream(ctx context.Context, inputs []int, yield func(uint64)) error {
	do := func(_ context.Context, in int) (uint64, error) { return try(in) }
	for v, err := range jobgen.Stream(ctx, slices.Values(inputs), do) {
		if err != nil {
			return err
		}
		yield(v)
	}
	return nil
}

func concStream(_ context.Context, inputs []int, yield func(uint64)) error {
	var first error // callbacks run one at a time
	s := stream.New().WithMaxGoroutines(workers())
	for _, in := range inputs {
		s.Go(func() stream.Callback {
			v, err := try(in)
			return func() {
				if err == nil {
					yield(v)
				} else if first == nil {
					first = err
				}
			}
		})
	}
	s.Wait()
	return first
}

// channelStream is the usual way by hand: a queue of jobs, each with a channel for its result, read
// in the order in which they were put there.
func channelStream(_ context.Context, inputs []int, yield func(uint64)) error {
	type answer struct {
		value uint64
		err   error
	}
	type job struct {
		in  int
		out chan answer
	}
	jobs, queue := make(chan job, workers()), make(chan job, 4*workers())
	var wg sync.WaitGroup
	for range workers() {
		wg.Go(func() {
			for j := range jobs {
				v, err := try(j.in)
				j.out <- answer{v, err}
			}
		})
	}
	go func() {
		for _, in := range inputs {
			j := job{in, make(chan answer, 1)}
			queue <- j
			jobs <- j
		}
		close(queue)
		close(jobs)
	}()
	var first error
	for j := range queue {
		a := <-j.out
		if a.err == nil {
			yield(a.value)
		} else if first == nil {
			first = a.err
		}
	}
	wg.Wait()
	return first
}

func serialStream(_ context.Context, inputs []int, yield func(uint64)) error {
	for _, in := range inputs {
		v, err := try(in)
		if err != nil {
			return err
		}
		yield(v)
	}
	return nil
}
