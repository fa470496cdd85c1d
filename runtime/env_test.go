package jobgen_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schollz/progressbar/v3"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// backendOf returns where a run with opts says that it is.
func backendOf(t *testing.T, opts ...jobgen.Option) (backend string, workers int, err error) {
	t.Helper()
	opts = append(opts, jobgen.Observe(jobgen.Observer{RunStarted: func(r jobgen.RunInfo) {
		backend, workers = r.Backend, r.Workers
	}}))
	_, err = jobgen.Map(t.Context(), numbers(100), double, opts...)
	return backend, workers, err
}

func TestEnvironmentWins(t *testing.T) {
	for _, c := range []struct {
		env     string
		opts    []jobgen.Option
		backend string
		workers int
	}{
		{"", []jobgen.Option{jobgen.Workers(3)}, "goroutines", 3},
		{"", []jobgen.Option{jobgen.Workers(3), jobgen.Debug()}, "debug", 1},
		{"", []jobgen.Option{jobgen.Debug(), jobgen.Goroutines(), jobgen.Workers(2)}, "goroutines", 2},
		{"JOBGEN_DEBUG=1", []jobgen.Option{jobgen.Workers(3)}, "debug", 1},
		{"JOBGEN_DEBUG=0", []jobgen.Option{jobgen.Debug(), jobgen.Workers(3)}, "goroutines", 3},
		{"JOBGEN_WORKERS=5", []jobgen.Option{jobgen.Workers(3)}, "goroutines", 5},
		{"JOBGEN_BACKEND=goroutines:6", []jobgen.Option{jobgen.Debug(), jobgen.Workers(3)}, "goroutines", 6},
		{"JOBGEN_BACKEND=debug", nil, "debug", 1},
	} {
		t.Run(c.env, func(t *testing.T) {
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			backend, workers, err := backendOf(t, c.opts...)
			if err != nil || backend != c.backend || workers != c.workers {
				t.Errorf("on %s with %d workers, %v; want %s with %d", backend, workers, err, c.backend, c.workers)
			}
		})
	}
}

func TestEnvironmentThatMakesNoSense(t *testing.T) {
	for env, want := range map[string]string{
		"JOBGEN_DEBUG=yes":            "JOBGEN_DEBUG=yes: want 1 or 0",
		"JOBGEN_PROGRESS=maybe":       "want 1 or 0",
		"JOBGEN_WORKERS=many":         "want a number of workers",
		"JOBGEN_WORKERS=-1":           "want a number of workers",
		"JOBGEN_SEED=pi":              "want a number",
		"JOBGEN_BACKEND=goroutines:0": "want goroutines",
		"JOBGEN_BACKEND=goroutines:":  "want goroutines",
		"JOBGEN_BACKEND=debug:3":      "want debug, which has one worker",
		"JOBGEN_BACKEND=host:4222":    "a cluster's address begins with nats:// or tls://",
		"JOBGEN_BACKEND=processes:0":  "JOBGEN_BACKEND=processes:0: want processes or processes:N",
		"JOBGEN_BACKEND=nosuch":       `this program has no backend called "nosuch"; it has debug, goroutines, processes`,
	} {
		t.Run(env, func(t *testing.T) {
			name, value, _ := strings.Cut(env, "=")
			t.Setenv(name, value)
			_, err := jobgen.Map(t.Context(), numbers(4), double)
			var e *jobgen.RunError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || e.NotRun != 4 {
				t.Errorf("Map: %v, want %q", err, want)
			}
			n := 0
			for _, err := range jobgen.Stream(t.Context(), slices.Values(numbers(4)), double) {
				if n++; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Stream: %v", err)
				}
			}
			if n != 1 {
				t.Errorf("Stream: %d results", n)
			}
		})
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for want, o := range map[string]jobgen.Option{
		"Workers(-1)":     jobgen.Workers(-1),
		"JobTimeout(-1s)": jobgen.JobTimeout(-time.Second),
		"Retry(0, 0s)":    jobgen.Retry(0, 0),
		"Retry(2, -1s)":   jobgen.Retry(2, -time.Second),
		"Window(-2)":      jobgen.Window(-2),
		"has no codec":    jobgen.Processes(),
	} {
		var e *jobgen.RunError
		r := jobgen.NewRunner(jobgen.Spec[int, int]{Name: "x.Double", New: func() jobgen.Instance[int, int] {
			return jobgen.Instance[int, int]{Do: double}
		}})
		if _, err := r.Run(t.Context(), numbers(3), o); !errors.As(err, &e) || e.NotRun != 3 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestLocalWorker says why a worker cannot leave the process before anything else.
func TestLocalWorker(t *testing.T) {
	r := jobgen.NewRunner(jobgen.Spec[int, int]{
		Name: "example.com/x.Local", Local: "field Notify is a channel (x.go:7:2)",
		New: func() jobgen.Instance[int, int] { return jobgen.Instance[int, int]{Do: double} },
	})
	for _, o := range []jobgen.Option{jobgen.Processes(), jobgen.On(noBackend{})} {
		_, err := r.Run(t.Context(), numbers(3), o)
		if err == nil || !strings.Contains(err.Error(), "x.Local runs in this process only: field Notify is a channel (x.go:7:2)") {
			t.Errorf("%v", err)
		}
	}
	if _, err := r.Run(t.Context(), numbers(3), jobgen.Processes(), jobgen.Debug()); err != nil {
		t.Errorf("debug mode: %v", err)
	}
	if _, err := jobgen.Map(t.Context(), numbers(3), double, jobgen.On(noBackend{})); err == nil || !strings.Contains(err.Error(), "plain function") {
		t.Errorf("a plain function on a backend: %v", err)
	}
}

type noBackend struct{}

func (noBackend) String() string { return "nowhere" }
func (noBackend) Open(context.Context, jobgen.Task) (jobgen.Session, error) {
	return nil, errors.New("not to be opened")
}

func TestSeedFromTheEnvironment(t *testing.T) {
	draw := func(opts ...jobgen.Option) []uint64 {
		out, err := jobgen.Map(t.Context(), numbers(10), func(ctx context.Context, _ int) (uint64, error) {
			a, b := jobgen.Rand(ctx).Uint64(), jobgen.Rand(ctx).Uint64()
			if a == b {
				t.Error("the second draw of a job is the first")
			}
			return a, nil
		}, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a := draw(jobgen.Seed(7))
	seen := map[uint64]bool{}
	for _, x := range a {
		seen[x] = true
	}
	if len(seen) != 10 {
		t.Error("jobs draw the same numbers")
	}
	t.Setenv("JOBGEN_SEED", "7")
	if !slices.Equal(a, draw(jobgen.Seed(8))) {
		t.Error("JOBGEN_SEED does not win over Seed")
	}
}

func TestLog(t *testing.T) {
	var buf bytes.Buffer
	l := slog.New(slog.NewTextHandler(&buf, nil))
	_, err := jobgen.Map(t.Context(), numbers(3), func(ctx context.Context, i int) (int, error) {
		jobgen.Log(ctx).Info("hello", "i", i)
		if i == 2 {
			panic("oh")
		}
		return 0, nil
	}, jobgen.Logger(l), jobgen.Workers(1), jobgen.Seed(11), jobgen.Retry(2, 0))
	if err == nil {
		t.Fatal("no error")
	}
	text := buf.String()
	for _, want := range []string{
		`msg="run started"`, "seed=11", "jobs=3", "backend=goroutines",
		"msg=hello", "job=1", "worker=goroutine-1", "i=1",
		`level=WARN msg="job failed, trying again"`, `level=ERROR msg="job failed"`, "attempt=2", "TestLog", "stack=",
		`level=ERROR msg="run failed"`, "failed=1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	jobgen.Log(t.Context()).Debug("outside a job") // goes to slog.Default
	if _, err := jobgen.Map(t.Context(), numbers(1), func(ctx context.Context, i int) (int, error) {
		if jobgen.Log(ctx).Enabled(ctx, slog.LevelError) {
			t.Error("without a logger, records are not discarded")
		}
		return 0, nil
	}); err != nil {
		t.Error(err)
	}
}

func TestOwnBar(t *testing.T) {
	bar := progressbar.NewOptions(300, progressbar.OptionSetWriter(&bytes.Buffer{}))
	for range 3 {
		if _, err := jobgen.Map(t.Context(), numbers(100), double, jobgen.ProgressTo(bar)); err != nil {
			t.Fatal(err)
		}
	}
	if n := bar.State().CurrentNum; n != 300 {
		t.Errorf("the bar stands at %d", n)
	}
}

// TestProcess runs this test binary again, to see what a person sees on standard error, and what a
// process does that is to be a worker of a backend that it has not got.
func TestProcess(t *testing.T) {
	if what := os.Getenv("TEST_PROCESS"); what != "" {
		label := []jobgen.Option{jobgen.Progress("counting"), jobgen.CollectErrors()}
		if what == "environment" {
			label = label[1:]
		}
		jobgen.Map(t.Context(), numbers(1000), func(_ context.Context, i int) (int, error) {
			if i == 500 {
				return 0, errors.New("no")
			}
			return 0, nil
		}, label...)
		return
	}
	run := func(env ...string) (string, error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcess$")
		cmd.Env = append(os.Environ(), env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		return stderr.String(), err
	}
	if out, err := run("TEST_PROCESS=option"); err != nil || !strings.Contains(out, "counting: 1000 of 1000 (100 %)") || !strings.Contains(out, "1 failed") {
		t.Errorf("Progress: %v\n%s", err, out)
	}
	if out, err := run("TEST_PROCESS=environment"); err != nil || out != "" {
		t.Errorf("no progress asked for: %v\n%s", err, out)
	}
	t.Setenv("JOBGEN_PROGRESS", "1")
	if out, err := run("TEST_PROCESS=environment"); err != nil || !strings.Contains(out, "1000 of 1000") {
		t.Errorf("JOBGEN_PROGRESS=1 is not kept by the program: %v\n%s", err, out)
	}
	var exit *exec.ExitError
	if out, err := run("JOBGEN_WORKER=nosuch://host"); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(out, `no backend called "nosuch"`) {
		t.Errorf("JOBGEN_WORKER: %v\n%s", err, out)
	}
}
