package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alitto/pond/v2"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/sourcegraph/conc/stream"
)

const itemBytes = 1024

// item is an input, and its result, of a kilobyte.
type item [itemBytes]byte

// memory measures what a stream holds while its first job is stuck: whatever comes after that job
// has to be kept, or not begun.
func memory(b *bench) []*table {
	t := &table{
		title: "A stream whose first job is stuck",
		head:  []string{"", "inputs taken", "heap held", "inputs of", "allocations per job"},
		notes: []string{
			"Inputs and results are pointers to 1 KiB each. Counted when nothing moves any more, after a garbage collection; the job then goes on, and the stream to its end.",
			"pond has no stream: a group takes all inputs before its results can be read.",
		},
	}
	n := b.scale(1_000_000, 10_000)
	for _, s := range []struct {
		name string
		run  func(inputs iter.Seq[*item], do func(*item) *item, yield func(*item))
	}{
		{"jobgen", func(inputs iter.Seq[*item], do func(*item) *item, yield func(*item)) {
			jobgenItems(inputs, do, yield)
		}},
		{"jobgen, Window(64)", func(inputs iter.Seq[*item], do func(*item) *item, yield func(*item)) {
			jobgenItems(inputs, do, yield, jobgen.Window(64))
		}},
		{"conc stream", concItems},
		{"pond group", pondItems},
	} {
		if !b.wanted("memory", s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "memory: %s\n", s.name)
		jobs := n
		if s.name == "pond group" {
			jobs = min(n, 200_000) // or it would need gigabytes
		}
		taken, held, allocs := stuck(jobs, s.run)
		t.add(s.name, sizeOf(taken), fmt.Sprintf("%s KiB", sizeOf(held>>10)), sizeOf(jobs), count(allocs))
	}
	return []*table{t}
}

// stuck runs a stream of n jobs whose first one waits until the rest has come to a standstill. It
// returns how many inputs were taken by then, how much memory was in use, and the allocations per job
// other than those of the inputs and results.
func stuck(n int, run func(iter.Seq[*item], func(*item) *item, func(*item))) (taken, held int, allocs float64) {
	var (
		count     atomic.Int64
		release   = make(chan struct{})
		stuckItem = new(item)
		before    = heap()
		wg        sync.WaitGroup
	)
	inputs := func(yield func(*item) bool) {
		for i := range n {
			in := stuckItem
			if i > 0 {
				in = new(item)
			}
			count.Add(1)
			if !yield(in) {
				return
			}
		}
	}
	do := func(in *item) *item {
		if in == stuckItem {
			<-release
		}
		return new(item)
	}
	wg.Go(func() {
		standstill(&count)
		taken, held = int(count.Load()), max(int(heap().HeapAlloc)-int(before.HeapAlloc), 0)
		close(release)
	})
	results := 0
	run(inputs, do, func(*item) { results++ })
	wg.Wait()
	if results != n {
		panic(fmt.Errorf("%d results of %d jobs", results, n))
	}
	after := heap()
	return taken, held, float64(after.Mallocs-before.Mallocs)/float64(n) - 2
}

// standstill waits until a counter has not moved for a while.
func standstill(count *atomic.Int64) {
	for last, same := int64(0), 0; same < 5; {
		time.Sleep(10 * time.Millisecond)
		if now := count.Load(); now == last && now > 0 {
			same++
		} else {
			last, same = now, 0
		}
	}
}

func heap() runtime.MemStats {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

func jobgenItems(inputs iter.Seq[*item], do func(*item) *item, yield func(*item), opts ...jobgen.Option) {
	job := func(_ context.Context, in *item) (*item, error) { return do(in), nil }
	for out, err := range jobgen.Stream(context.Background(), inputs, job, opts...) {
		if err != nil {
			panic(err)
		}
		yield(out)
	}
}

func concItems(inputs iter.Seq[*item], do func(*item) *item, yield func(*item)) {
	s := stream.New().WithMaxGoroutines(workers())
	for in := range inputs {
		s.Go(func() stream.Callback {
			out := do(in)
			return func() { yield(out) }
		})
	}
	s.Wait()
}

func pondItems(inputs iter.Seq[*item], do func(*item) *item, yield func(*item)) {
	p := pond.NewResultPool[*item](workers())
	defer p.StopAndWait()
	group := p.NewGroup()
	for in := range inputs {
		group.SubmitErr(func() (*item, error) { return do(in), nil })
	}
	results, err := group.Wait()
	if err != nil {
		panic(err)
	}
	for _, out := range results {
		yield(out)
	}
}
