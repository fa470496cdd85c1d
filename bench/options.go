package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/schollz/progressbar/v3"
)

// options measures what jobgen's options cost a tiny job.
func options(b *bench) []*table {
	t := &table{
		title: "jobgen alone: what options cost a job of 5 ns",
		head:  []string{"", "time per job", "more than without", "allocations per job"},
	}
	n := b.scale(200_000, 2000)
	inputs := repeat(b.clock.turns(5*time.Nanosecond), n)
	var counted atomic.Int64
	cases := []struct {
		name string
		opts func() []jobgen.Option
	}{
		{"without", func() []jobgen.Option { return nil }},
		{"Debug", one(jobgen.Debug())},
		{"CollectErrors", one(jobgen.CollectErrors())},
		{"Retry(3, 0)", one(jobgen.Retry(3, 0))},
		{"Seed(1)", one(jobgen.Seed(1))},
		{"Logger", one(jobgen.Logger(slog.New(slog.NewTextHandler(io.Discard, nil))))},
		{"ProgressTo", func() []jobgen.Option {
			bar := progressbar.NewOptions(n, progressbar.OptionSetWriter(io.Discard), progressbar.OptionThrottle(100*time.Millisecond))
			return []jobgen.Option{jobgen.ProgressTo(bar)}
		}},
		{"Observe(Advanced)", one(jobgen.Observe(jobgen.Observer{
			Advanced: func(_ jobgen.RunInfo, done, _ int) { counted.Store(int64(done)) },
		}))},
		{"Observe(JobDone)", one(jobgen.Observe(jobgen.Observer{
			JobDone: func(jobgen.RunInfo, jobgen.JobInfo) { counted.Add(1) },
		}))},
		{"JobTimeout(1s)", one(jobgen.JobTimeout(time.Second))},
	}
	var trials []trial
	for _, c := range cases {
		if c.name != "without" && !b.wanted("options", c.name) {
			continue
		}
		trials = append(trials, trial{name: c.name, jobs: n, run: func() time.Duration {
			opts := c.opts()
			return clocked(func() {
				_, err := jobgen.Map(context.Background(), inputs,
					func(_ context.Context, in int) (uint64, error) { return try(in) }, opts...)
				if err != nil {
					panic(fmt.Errorf("%s: %w", c.name, err))
				}
			})
		}})
	}
	if len(trials) == 1 && !b.wanted("options", "without") {
		return nil
	}
	results := b.race("options", "all", trials)
	for _, r := range results {
		t.add(r.name, span(r.time()), span(max(r.time()-results[0].time(), 0)), count(r.alloc()))
	}
	return []*table{t}
}

func one(o jobgen.Option) func() []jobgen.Option {
	return func() []jobgen.Option { return []jobgen.Option{o} }
}
