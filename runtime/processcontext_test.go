//go:build unix

package jobgen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// tellContext writes a file, waits for the end of ctx and returns what ctx says of it.
func tellContext(ctx context.Context, file string) (string, error) {
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return "", err
	}
	<-ctx.Done()
	d, ok := ctx.Deadline()
	due := "no deadline"
	if ok {
		due = d.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%s; %v; %v; known %t", due, ctx.Err(), context.Cause(ctx), errors.Is(context.Cause(ctx), errKnown)), nil
}

// endings are ways in which a run's context ends; end is called when its jobs have begun.
var endings = map[string]func(ctx context.Context) (_ context.Context, end func()){
	"cancel": func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) },
	"cause": func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		return ctx, func() { cancel(fmt.Errorf("enough: %w", errKnown)) }
	},
	"cause that is known by its text": func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		return ctx, func() { cancel(errors.New("enough")) }
	},
	"deadline": func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		context.AfterFunc(ctx, cancel)
		return ctx, func() {}
	},
	"deadline with a cause": func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Second, errKnown)
		context.AfterFunc(ctx, cancel)
		return ctx, func() {}
	},
	"cancel before a deadline": func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, time.Hour) },
}

// The context of a job says the same in a process as on a goroutine. A job that returns why it ended has not failed.
func TestContextInProcesses(t *testing.T) {
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, end := ending(t.Context())
			defer end()
			var runs sync.WaitGroup
			var told [2]string
			dir := t.TempDir()
			for i, backend := range []jobgen.Option{jobgen.Goroutines(), jobgen.Processes()} {
				file := func(what string) string { return filepath.Join(dir, fmt.Sprint(what, i)) }
				r := jobgen.NewRunner(mortalSpec(mortal{}), backend, jobgen.Workers(1))
				runs.Go(func() {
					out, err := r.Run(ctx, []string{"context " + file("context")})
					if err != nil {
						t.Error(err)
						return
					}
					told[i] = out[0]
				})
				runs.Go(func() {
					_, err := r.Run(ctx, []string{"cause " + file("cause")})
					var run *jobgen.RunError
					if !errors.As(err, &run) || len(run.Jobs) > 0 || !errors.Is(err, context.Cause(ctx)) {
						t.Errorf("the run whose job returns the cause: %v", err)
					}
				})
			}
			for begun := 0; begun < 4; time.Sleep(time.Millisecond) {
				files, err := os.ReadDir(dir)
				if begun = len(files); err != nil || ctx.Err() != nil {
					t.Errorf("%d jobs have begun: %v, %v", begun, err, ctx.Err())
					break
				}
			}
			end()
			runs.Wait()
			if told[0] != told[1] {
				t.Errorf("on a goroutine: %s\nin a process:  %s", told[0], told[1])
			}
		})
	}
}
