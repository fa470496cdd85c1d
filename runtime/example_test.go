package jobgen_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func ExampleMap() {
	square := func(_ context.Context, x int) (int, error) { return x * x, nil }

	squares, err := jobgen.Map(context.Background(), []int{1, 2, 3, 4}, square, jobgen.Workers(2))
	fmt.Println(squares, err)
	// Output: [1 4 9 16] <nil>
}

// By default a run stops at its first failure: the one that a serial loop would have met first,
// however the jobs overtake each other.
func ExampleMap_error() {
	parse := func(_ context.Context, s string) (int, error) { return strconv.Atoi(s) }

	numbers, err := jobgen.Map(context.Background(), []string{"1", "2", "three", "4", "five"}, parse)

	var failed *jobgen.JobError
	if errors.As(err, &failed) {
		fmt.Println("job", failed.Index, "failed:", failed.Err)
		fmt.Println("results before it:", numbers[:failed.Index])
	}
	fmt.Println(errors.Is(err, strconv.ErrSyntax))
	// Output:
	// job 2 failed: strconv.Atoi: parsing "three": invalid syntax
	// results before it: [1 2]
	// true
}

// Results come in the order of the inputs, of which only a window is read ahead.
func ExampleStream() {
	words := strings.FieldsSeq("a stream of words, as long as you like")
	upper := func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil }

	for word, err := range jobgen.Stream(context.Background(), words, upper) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(word)
		if word == "WORDS," {
			break // no job is left behind
		}
	}
	// Output:
	// A
	// STREAM
	// OF
	// WORDS,
}

// newSqrtRunner is what jobgen generates for the worker sqrt. Programs do not call NewRunner
// themselves.
func newSqrtRunner(opts ...jobgen.Option) *sqrtRunner {
	return &sqrtRunner{jobgen.NewRunner(jobgen.Spec[float64, float64]{
		Name: "example.com/maths.sqrt",
		New: func() jobgen.Instance[float64, float64] {
			return jobgen.Instance[float64, float64]{
				Do: func(_ context.Context, x float64) (float64, error) { return sqrt(x) },
			}
		},
	}, opts...)}
}

type sqrtRunner struct {
	jobgen.Runner[float64, float64]
}

var errNegative = errors.New("negative number")

// sqrt is math.Sqrt with an error.
func sqrt(x float64) (float64, error) {
	if x < 0 {
		return 0, errNegative
	}
	return math.Sqrt(x), nil
}

// A function that is marked as a worker gets a runner:
//
//	//jobgen:worker
//	func sqrt(x float64) (float64, error)
//
// The generated constructor is newSqrtRunner, or NewSqrtRunner if the function is exported.
func ExampleRunner_Run() {
	jobs := newSqrtRunner(jobgen.Workers(4))

	roots, err := jobs.Run(context.Background(), []float64{4, 9, 16})
	fmt.Println(roots, err)
	// Output: [2 3 4] <nil>
}

// With CollectErrors a stream goes on after a failure.
func ExampleRunner_Stream() {
	inputs := slices.Values([]float64{4, -1, 16})
	for root, err := range newSqrtRunner().Stream(context.Background(), inputs, jobgen.CollectErrors()) {
		fmt.Println(root, errors.Is(err, errNegative))
	}
	// Output:
	// 2 false
	// NaN true
	// 4 false
}

func ExampleRunner_Unordered() {
	inputs := slices.Values([]float64{4, -1, 16})
	for o := range newSqrtRunner().Unordered(context.Background(), inputs, jobgen.CollectErrors()) {
		if o.Err != nil {
			fmt.Println(o.Index, errors.Unwrap(o.Err))
		} else {
			fmt.Println(o.Index, o.Value)
		}
	}
	// Unordered output:
	// 0 2
	// 1 negative number
	// 2 4
}

func ExampleRunner_Batch() {
	ctx := context.Background()
	batch := newSqrtRunner().Batch(ctx)
	first := batch.Submit(4) // starts at once
	batch.Submit(9)
	batch.Submit(16)

	root, err := first.Get(ctx) // waits for this job
	fmt.Println(root, err)
	roots, err := batch.Wait() // waits for all; in the order of Submit
	fmt.Println(roots, err)
	// Output:
	// 2 <nil>
	// [2 3 4] <nil>
}

func ExampleRunN() {
	double := jobgen.NewRunner(jobgen.Spec[int, int]{
		Name: "example.com/maths.Double",
		New: func() jobgen.Instance[int, int] {
			return jobgen.Instance[int, int]{
				Do: func(_ context.Context, i int) (int, error) { return 2 * i, nil },
			}
		},
	})
	doubles, err := jobgen.RunN(context.Background(), &double, 5)
	fmt.Println(doubles, err)
	// Output: [0 2 4 6 8] <nil>
}

// Errors can be suppressed: the place of a failed job holds NaN, which spreads through sums and
// cannot be taken for a result.
func ExampleCollectErrors() {
	roots, _ := newSqrtRunner(jobgen.CollectErrors()).Run(context.Background(), []float64{4, -1, 16, -2})
	fmt.Println(roots)
	// Output: [2 NaN 4 NaN]
}

func ExampleRunError() {
	_, err := newSqrtRunner(jobgen.CollectErrors()).Run(context.Background(), []float64{4, -1, 16, -2})

	var failed *jobgen.RunError
	if errors.As(err, &failed) {
		for _, job := range failed.Jobs {
			fmt.Printf("job %d, %s: %v\n", job.Index, job.Job, job.Err)
		}
	}
	fmt.Println(errors.Is(err, errNegative))
	// Output:
	// job 1, maths.sqrt(-1): negative number
	// job 3, maths.sqrt(-2): negative number
	// true
}

// A zero may be a result, or the place of a job that has none.
func ExampleRunError_HasResult() {
	parse := func(_ context.Context, s string) (int, error) { return strconv.Atoi(s) }
	inputs := []string{"0", "zero", "10"}

	numbers, err := jobgen.Map(context.Background(), inputs, parse, jobgen.CollectErrors())
	var failed *jobgen.RunError
	errors.As(err, &failed)
	for i, n := range numbers {
		fmt.Println(n, failed == nil || failed.HasResult(i))
	}
	// Output:
	// 0 true
	// 0 false
	// 10 true
}

// A run whose context ends returns what it has.
func ExampleRunError_cancelled() {
	ctx, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, errors.New("no more time"))
	defer cancel()
	job := func(ctx context.Context, i int) (int, error) {
		if i == 1 {
			<-ctx.Done() // as a request over the network would
			return 0, ctx.Err()
		}
		return 10 + i, nil
	}
	results, err := jobgen.Map(ctx, []int{0, 1, 2, 3}, job, jobgen.Workers(1))

	var stopped *jobgen.RunError
	if errors.As(err, &stopped) {
		fmt.Println("cause:", stopped.Cause)
		fmt.Println("failed:", len(stopped.Jobs))
		fmt.Println("never begun:", stopped.NotRun)
		for i, r := range results {
			if stopped.HasResult(i) {
				fmt.Println("result", i, "is", r)
			}
		}
	}
	// Output:
	// cause: no more time
	// failed: 0
	// never begun: 2
	// result 0 is 10
}

// The panic of a job is its error, with the stack of the place where it was raised.
func ExamplePanicError() {
	first := func(_ context.Context, x []string) (string, error) { return x[0], nil }

	_, err := jobgen.Map(context.Background(), [][]string{{"a"}, {}}, first)
	var p *jobgen.PanicError
	if errors.As(err, &p) {
		fmt.Println(p.Value)
		fmt.Println(strings.Contains(string(p.Stack), "ExamplePanicError"))
	}
	// Output:
	// runtime error: index out of range [0] with length 0
	// true
}

// In debug mode a panic is not recovered, so that a debugger stops there; and jobs run in order.
// The environment variable JOBGEN_DEBUG=1 does the same to a program that is already built.
func ExampleDebug() {
	defer func() { fmt.Println("recovered by the caller of Map:", recover()) }()

	_, _ = jobgen.Map(context.Background(), []int{1, 2, 3}, func(_ context.Context, i int) (int, error) {
		fmt.Println("job", i)
		if i == 2 {
			panic("two")
		}
		return i, nil
	}, jobgen.Debug())
	// Output:
	// job 1
	// job 2
	// recovered by the caller of Map: two
}

// What a job draws depends on the seed and on its index, and not on how many workers there are.
func ExampleRand() {
	throw := func(ctx context.Context, _ int) (int, error) { return 1 + jobgen.Rand(ctx).IntN(6), nil }
	jobs := make([]int, 10)

	one, _ := jobgen.Map(context.Background(), jobs, throw, jobgen.Seed(1), jobgen.Workers(1))
	four, _ := jobgen.Map(context.Background(), jobs, throw, jobgen.Seed(1), jobgen.Workers(4))
	fmt.Println(slices.Equal(one, four))
	// Output: true
}

// countLines stands for a job that has something to tell.
func countLines(ctx context.Context, file string) (int, error) {
	jobgen.Log(ctx).Info("reading", "file", file)
	return 100, nil
}

// What jobs write goes to the logger of their run, between the records of the run itself.
func ExampleLog() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "run" || a.Key == "elapsed" { // they differ each time
				return slog.Attr{}
			}
			return a
		},
	})
	_, _ = jobgen.Map(context.Background(), []string{"a.csv", "b.csv"}, countLines,
		jobgen.Logger(slog.New(handler)), jobgen.Workers(1), jobgen.Seed(1))
	// Output:
	// level=INFO msg="run started" name=github.com/jobgen/jobgen/runtime_test.countLines jobs=2 workers=1 backend=goroutines seed=1
	// level=INFO msg=reading job=0 worker=goroutine-1 file=a.csv
	// level=INFO msg=reading job=1 worker=goroutine-1 file=b.csv
	// level=INFO msg="run done"
}

// The first attempts fail.
func ExampleRetry() {
	var calls atomic.Int32
	fetch := func(ctx context.Context, url string) (string, error) {
		calls.Add(1)
		if jobgen.Attempt(ctx) < 3 {
			return "", errors.New("connection refused")
		}
		return "page of " + url, nil
	}
	pages, err := jobgen.Map(context.Background(), []string{"example.com"}, fetch,
		jobgen.Retry(5, time.Millisecond))
	fmt.Println(pages, err, calls.Load())
	// Output: [page of example.com] <nil> 3
}

// A job that is too slow has to heed its context, because a goroutine cannot be stopped.
func ExampleJobTimeout() {
	sleep := func(ctx context.Context, d time.Duration) (string, error) {
		select {
		case <-time.After(d):
			return "slept", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	naps := []time.Duration{time.Millisecond, time.Hour}
	results, err := jobgen.Map(context.Background(), naps, sleep,
		jobgen.JobTimeout(100*time.Millisecond), jobgen.CollectErrors())

	var late *jobgen.TimeoutError
	fmt.Printf("%q\n", results)
	fmt.Println(errors.As(err, &late), late.Limit, errors.Is(err, context.DeadlineExceeded))
	// Output:
	// ["slept" ""]
	// true 100ms true
}

func ExampleObserve() {
	var failed atomic.Int64
	count := jobgen.Observer{
		RunStarted: func(run jobgen.RunInfo) { fmt.Println("started:", run.Jobs, "jobs,", run.Workers, "workers") },
		JobFailed:  func(jobgen.RunInfo, *jobgen.JobError, bool) { failed.Add(1) }, // several at a time
		RunDone:    func(jobgen.RunInfo, error) { fmt.Println("done:", failed.Load(), "failed") },
	}
	_, _ = newSqrtRunner(jobgen.Observe(count), jobgen.Workers(2), jobgen.CollectErrors()).
		Run(context.Background(), []float64{4, -1, 16, -2})
	// Output:
	// started: 4 jobs, 2 workers
	// done: 2 failed
}

// One bar for several runs, which the caller makes.
func ExampleProgressTo() {
	bar := progressbar.NewOptions(5, progressbar.OptionSetWriter(io.Discard))
	jobs := newSqrtRunner(jobgen.ProgressTo(bar))

	_, _ = jobs.Run(context.Background(), []float64{1, 2, 3})
	fmt.Println(bar.State().CurrentNum, "of", bar.State().Max)
	_, _ = jobs.Run(context.Background(), []float64{4, 5})
	fmt.Println(bar.State().CurrentNum, "of", bar.State().Max)
	// Output:
	// 3 of 5
	// 5 of 5
}

// The options of a call win over those of the runner.
func ExampleOption() {
	jobs := newSqrtRunner(jobgen.Workers(8), jobgen.CollectErrors())
	workers := jobgen.Observe(jobgen.Observer{
		RunStarted: func(run jobgen.RunInfo) { fmt.Println(run.Backend, run.Workers) },
	})
	inputs := make([]float64, 100)
	_, _ = jobs.Run(context.Background(), inputs, workers)
	_, _ = jobs.Run(context.Background(), inputs, workers, jobgen.Workers(2))
	_, _ = jobs.Run(context.Background(), inputs, workers, jobgen.Debug())
	// Output:
	// goroutines 8
	// goroutines 2
	// debug 1
}
