package jobtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func batches(t *testing.T, p Place) {
	// Submitted from several goroutines at once, each job's future is its own.
	b := p.runner(Script{Factor: 1}, jobgen.Workers(3), jobgen.CollectErrors()).Batch(context.Background())
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				s := Step{Arg: 1000*g + i}
				if i == 25 {
					s.Act = Fail
				}
				v, err := b.Submit(s).Get(context.Background())
				if i == 25 {
					if err == nil {
						t.Error("a failing job has no error")
					}
				} else if err != nil || int(v) != s.Arg { // the random part is below 1
					t.Errorf("step %d gave %v, %v", s.Arg, v, err)
				}
			}
		})
	}
	wg.Wait()
	out, err := b.Wait()
	var e *jobgen.RunError
	if !errors.As(err, &e) || len(e.Jobs) != 4 || len(out) != 200 {
		t.Errorf("Wait: %d results, %v", len(out), err)
	}
	again, err2 := b.Wait()
	if len(again) != len(out) || err2 != err {
		t.Error("a second Wait returns something else")
	}
	if _, err := b.Submit(Step{}).Get(context.Background()); !errors.Is(err, jobgen.ErrNotRun) {
		t.Errorf("a job submitted after Wait: %v", err)
	}
}

func batchStops(t *testing.T, p Place) {
	// After a failure nothing is run, and every future says so without Wait.
	b := p.runner(Script{Factor: 1}, jobgen.Workers(2)).Batch(context.Background())
	bad := b.Submit(Step{Act: Fail})
	if _, err := bad.Get(context.Background()); err == nil {
		t.Fatal("the failing job has no error")
	}
	var late []*jobgen.Future[float64]
	for range 10 {
		late = append(late, b.Submit(Step{}))
	}
	for _, f := range late {
		if _, err := f.Get(context.Background()); !errors.Is(err, jobgen.ErrNotRun) {
			t.Errorf("a job submitted after the failure: %v", err)
		}
	}
	out, err := b.Wait()
	var e *jobgen.RunError
	if !errors.As(err, &e) || len(e.Jobs) != 1 || e.NotRun != 10 || len(out) != 11 {
		t.Errorf("Wait: %d results, %v", len(out), err)
	}
	// A batch whose context ends gives its futures up, too.
	if p.Serial {
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	b = p.runner(Script{Factor: 1}, jobgen.Workers(1)).Batch(ctx)
	stuck, queued := b.Submit(Step{Act: Wait}), b.Submit(Step{})
	cancel(errCause)
	for _, f := range []*jobgen.Future[float64]{stuck, queued} {
		if _, err := f.Get(context.Background()); !errors.Is(err, errCause) {
			t.Errorf("a job whose batch was cancelled: %v", err)
		}
	}
	if _, err := b.Wait(); !errors.Is(err, errCause) {
		t.Errorf("Wait: %v", err)
	}
}

func seeds(t *testing.T, p Place) {
	s := steps(200, func(s []Step) { s[50] = Step{Act: Flaky, Arg: 50, Fails: 1} })
	run := func(opts ...jobgen.Option) []float64 {
		opts = append(opts, jobgen.Retry(2, 0))
		out, err := p.runner(Script{Factor: factor}, opts...).Run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a := run(jobgen.Workers(1), jobgen.Seed(seed))
	if !slices.Equal(a, run(jobgen.Workers(4), jobgen.Seed(seed))) {
		t.Error("random numbers depend on the number of workers")
	}
	if slices.Equal(a, run(jobgen.Workers(1), jobgen.Seed(seed+1))) {
		t.Error("random numbers do not depend on the seed")
	}
	if slices.Equal(run(), run()) {
		t.Error("two runs without a seed draw the same numbers")
	}
}

// setupOnce counts Setup by the workers that report to be ready.
func setupOnce(t *testing.T, p Place) {
	var workers sync.Map
	var starts atomic.Int64
	s := steps(500, nil)
	_, err := p.runner(Script{Factor: factor}, jobgen.Workers(3), jobgen.Observe(jobgen.Observer{
		WorkerStarted: func(_ jobgen.RunInfo, worker string) {
			starts.Add(1)
			workers.Store(worker, true)
		},
	})).Run(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	workers.Range(func(any, any) bool { names++; return true })
	if n := int(starts.Load()); n != names || n < 1 || n > 3 && !p.Spread && !p.Mortal {
		t.Errorf("%d workers started under %d names, want up to 3 and each once", n, names)
	}
}

func observers(t *testing.T, p Place) {
	var mu sync.Mutex
	var started, done, failed []int
	var runs, ends, advanced, lost, most int
	var runErr error
	s := steps(100, func(s []Step) { s[3].Act = Fail; s[5] = Step{Act: Flaky, Arg: 5, Fails: 1} })
	_, err := p.runner(Script{Factor: factor}, jobgen.Workers(2), jobgen.Seed(seed), jobgen.CollectErrors(), jobgen.Retry(2, 0),
		jobgen.Observe(jobgen.Observer{
			RunStarted: func(r jobgen.RunInfo) {
				runs++
				if r.Jobs != 100 || r.Seed != seed || r.Workers < 1 || r.Backend == "" || r.ID == "" || r.Nested {
					t.Errorf("RunStarted: %+v", r)
				}
			},
			RunDone: func(_ jobgen.RunInfo, err error) { ends++; runErr = err },
			JobStarted: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
				mu.Lock()
				defer mu.Unlock()
				started = append(started, j.Index)
			},
			JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
				mu.Lock()
				defer mu.Unlock()
				done = append(done, j.Index)
				if (j.Err != nil) != (j.Index == 3 || j.Index == 5 && j.Attempt == 1) {
					t.Errorf("JobDone: %+v", j)
				}
			},
			JobFailed: func(_ jobgen.RunInfo, e *jobgen.JobError, again bool) {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, e.Index)
				if again != (e.Attempt == 1) {
					t.Errorf("JobFailed: attempt %d of job %d, again %t", e.Attempt, e.Index, again)
				}
			},
			Advanced: func(_ jobgen.RunInfo, d, f int) {
				mu.Lock()
				defer mu.Unlock()
				advanced, lost = max(advanced, d), max(lost, f)
				most = max(most, f)
			},
		})).Run(context.Background(), s)
	if runs != 1 || ends != 1 || runErr != err {
		t.Errorf("%d starts, %d ends with %v; the run returned %v", runs, ends, runErr, err)
	}
	if len(started) < 102 || len(done) != 102 { // one whose worker was lost before it began starts again
		t.Errorf("%d attempts started and %d done, want 102", len(started), len(done))
	}
	slices.Sort(failed)
	if !slices.Equal(failed, []int{3, 3, 5}) {
		t.Errorf("failed attempts of jobs %v, want 3 3 5", failed)
	}
	if advanced != 100 || lost != 1 {
		t.Errorf("progress ended at %d jobs, %d failed; want 100 and 1", advanced, lost)
	}
}
