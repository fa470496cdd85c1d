package jobgen

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/jobgen/jobgen/runtime/internal/progress"
)

// What reports on a run is an Observer like any other.

// barObserver shows a run's progress on standard error.
func barObserver(label string) Observer {
	var bar *progress.Bar
	var done, failed atomic.Int64 // of the last call, which may overtake each other
	return Observer{
		RunStarted: func(r RunInfo) {
			if label == "" {
				label = shortName(r.Name)
			}
			bar = progress.Stderr().Start(label, r.Jobs)
		},
		Advanced: func(_ RunInfo, d, f int) {
			bar.Add(int(rise(&done, d)), int(rise(&failed, f)))
		},
		RunDone: func(_ RunInfo, err error) { bar.Done(err) },
	}
}

// ownBarObserver counts jobs on a bar of the caller's.
func ownBarObserver(bar *progressbar.ProgressBar) Observer {
	var done atomic.Int64
	return Observer{
		Advanced: func(_ RunInfo, d, _ int) { progress.AddTo(bar, int(rise(&done, d))) },
	}
}

// rise makes n at least to, and returns by how much it has risen.
func rise(n *atomic.Int64, to int) int64 {
	for {
		old := n.Load()
		if int64(to) <= old {
			return 0
		}
		if n.CompareAndSwap(old, int64(to)) {
			return int64(to) - old
		}
	}
}

// logObserver writes the records of a run: its start and end, lost workers, and each failed
// attempt, with the stack where there is one.
func logObserver(l *slog.Logger) Observer {
	ctx := context.Background()
	var start time.Time
	return Observer{
		RunStarted: func(r RunInfo) {
			start = time.Now()
			l.LogAttrs(ctx, slog.LevelInfo, "run started", slog.String("run", r.ID), slog.String("name", r.Name),
				slog.Int("jobs", r.Jobs), slog.Int("workers", r.Workers), slog.String("backend", r.Backend),
				slog.Uint64("seed", r.Seed))
		},
		RunDone: func(r RunInfo, err error) {
			attrs := []slog.Attr{slog.String("run", r.ID), slog.Duration("elapsed", time.Since(start))}
			if err == nil {
				l.LogAttrs(ctx, slog.LevelInfo, "run done", attrs...)
				return
			}
			var e *RunError
			if errors.As(err, &e) {
				attrs = append(attrs, slog.Int("failed", len(e.Jobs)), slog.Int("notRun", e.NotRun))
			}
			l.LogAttrs(ctx, slog.LevelError, "run failed", append(attrs, slog.Any("error", err))...)
		},
		JobFailed: func(r RunInfo, e *JobError, again bool) {
			attrs := []slog.Attr{
				slog.String("run", r.ID), slog.Int("job", e.Index), slog.String("call", e.Job),
				slog.String("worker", e.Worker), slog.Int("attempt", e.Attempt), slog.Any("error", e.Err),
			}
			var p *PanicError
			if errors.As(e.Err, &p) {
				attrs = append(attrs, slog.String("stack", string(p.Stack)))
			}
			if again {
				l.LogAttrs(ctx, slog.LevelWarn, "job failed, trying again", attrs...)
			} else {
				l.LogAttrs(ctx, slog.LevelError, "job failed", attrs...)
			}
		},
		WorkerLost: func(r RunInfo, worker string, err error) {
			l.LogAttrs(ctx, slog.LevelWarn, "worker lost", slog.String("run", r.ID), slog.String("worker", worker), slog.Any("error", err))
		},
	}
}

// calm keeps the records of a logger from being written into a progress bar.
func calm(l *slog.Logger) *slog.Logger {
	return slog.New(progress.Stderr().Handler(l.Handler()))
}
