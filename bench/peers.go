package main

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/panjf2000/ants/v2"
	lop "github.com/samber/lo/parallel"
	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/pool"
	"github.com/zeromicro/go-zero/core/mr"
	"golang.org/x/sync/errgroup"
)

// Each library is used the way its documentation shows.

func jobgenMap(ctx context.Context, inputs []int) ([]uint64, error) {
	return jobgen.Map(ctx, inputs, func(_ context.Context, in int) (uint64, error) { return try(in) })
}

func concMap(_ context.Context, inputs []int) ([]uint64, error) {
	return iter.Map(inputs, func(in *int) uint64 { return spin(*in) }), nil
}

func concMapErr(_ context.Context, inputs []int) ([]uint64, error) {
	return iter.MapErr(inputs, func(in *int) (uint64, error) { return try(*in) })
}

// indexed is a result of a library that gives them in the order in which jobs end.
type indexed struct {
	index int
	value uint64
}

func inOrder(results []indexed, n int) []uint64 {
	out := make([]uint64, n)
	for _, r := range results {
		out[r.index] = r.value
	}
	return out
}

func concPool(ctx context.Context, inputs []int) ([]uint64, error) {
	p := pool.NewWithResults[indexed]().WithMaxGoroutines(workers()).WithContext(ctx).WithCancelOnError().WithFirstError()
	for i, in := range inputs {
		p.Go(func(ctx context.Context) (indexed, error) {
			if err := ctx.Err(); err != nil {
				return indexed{}, err
			}
			v, err := try(in)
			return indexed{i, v}, err
		})
	}
	results, err := p.Wait()
	return inOrder(results, len(inputs)), err
}

var pondPool = sync.OnceValue(func() pond.ResultPool[uint64] { return pond.NewResultPool[uint64](workers()) })

func pondMap(ctx context.Context, inputs []int) ([]uint64, error) {
	group := pondPool().NewGroupContext(ctx)
	for _, in := range inputs {
		group.SubmitErr(func() (uint64, error) { return try(in) })
	}
	return group.Wait()
}

var antsPool = sync.OnceValue(func() *ants.Pool {
	p, err := ants.NewPool(workers())
	if err != nil {
		panic(err)
	}
	return p
})

func antsMap(_ context.Context, inputs []int) ([]uint64, error) {
	var (
		out   = make([]uint64, len(inputs))
		first atomic.Pointer[error]
		wg    sync.WaitGroup
	)
	for i, in := range inputs {
		wg.Add(1)
		err := antsPool().Submit(func() {
			defer wg.Done()
			v, err := try(in)
			if err != nil {
				first.CompareAndSwap(nil, &err)
			}
			out[i] = v
		})
		if err != nil {
			return nil, err
		}
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return out, *err
	}
	return out, nil
}

func errgroupMap(ctx context.Context, inputs []int) ([]uint64, error) {
	out := make([]uint64, len(inputs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for i, in := range inputs {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			v, err := try(in)
			out[i] = v
			return err
		})
	}
	return out, g.Wait()
}

func loMap(_ context.Context, inputs []int) ([]uint64, error) {
	return lop.Map(inputs, func(in, _ int) uint64 { return spin(in) }), nil
}

func workerpoolMap(_ context.Context, inputs []int) ([]uint64, error) {
	var (
		out   = make([]uint64, len(inputs))
		first atomic.Pointer[error]
		p     = workerpool.New(workers())
	)
	for i, in := range inputs {
		err := p.Do(func() {
			v, err := try(in)
			if err != nil {
				first.CompareAndSwap(nil, &err)
			}
			out[i] = v
		})
		if err != nil {
			return nil, err
		}
	}
	p.StopWait()
	if err := first.Load(); err != nil {
		return out, *err
	}
	return out, nil
}

func mrMap(ctx context.Context, inputs []int) ([]uint64, error) {
	return mr.MapReduce(
		func(source chan<- int) {
			for i := range inputs {
				source <- i
			}
		},
		func(i int, w mr.Writer[indexed], cancel func(error)) {
			v, err := try(inputs[i])
			if err != nil {
				cancel(err)
				return
			}
			w.Write(indexed{i, v})
		},
		func(pipe <-chan indexed, w mr.Writer[[]uint64], _ func(error)) {
			out := make([]uint64, len(inputs))
			for r := range pipe {
				out[r.index] = r.value
			}
			w.Write(out)
		},
		mr.WithWorkers(workers()), mr.WithContext(ctx))
}
