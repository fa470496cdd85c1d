package jobtest

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// steps returns n jobs that succeed, with the changes that f makes.
func steps(n int, f func([]Step)) []Step {
	s := make([]Step, n)
	for i := range s {
		s[i].Arg = i
	}
	if f != nil {
		f(s)
	}
	return s
}

func small(t *testing.T, p Place) {
	for _, n := range []int{0, 1, 2, 3} {
		for _, workers := range []int{1, 2, 8} {
			s := steps(n, nil)
			out, err := p.runner(Script{Factor: factor}, jobgen.Workers(workers), jobgen.Seed(seed)).Run(context.Background(), s)
			checkRun(t, s, 1, false, out, err)
			if out == nil {
				t.Errorf("the results of %d jobs are nil", n)
			}
		}
	}
}

func firstFailure(t *testing.T, p Place) {
	// The higher job fails at once, the lower one after a while: a race that the lower must win.
	s := steps(40, func(s []Step) {
		s[3] = Step{Act: Fail, Arg: 3, Spin: 2 * time.Millisecond}
		s[4].Act = Fail
	})
	for range 10 {
		out, err := p.runner(Script{Factor: factor}, jobgen.Workers(4), jobgen.Seed(seed)).Run(context.Background(), s)
		checkRun(t, s, 1, false, out, err)
	}
}

func failurePreempts(t *testing.T, p Place) {
	if p.Serial {
		t.Skip("no job runs while another fails")
	}
	// The jobs after the failing one would never end by themselves.
	s := steps(4, func(s []Step) {
		s[1] = Step{Act: Fail, Arg: 1, Spin: 2 * time.Millisecond}
		s[2].Act, s[3].Act = Wait, Wait
	})
	out, err := p.runner(Script{Factor: factor}, jobgen.Workers(4), jobgen.Seed(seed)).Run(context.Background(), s)
	checkRun(t, s, 1, false, out, err)
}

func collect(t *testing.T, p Place) {
	s := steps(300, func(s []Step) {
		for i := 7; i < len(s); i += 50 {
			s[i].Act = Fail
		}
	})
	out, err := p.runner(Script{Factor: factor}, jobgen.Workers(3), jobgen.Seed(seed), jobgen.CollectErrors()).Run(context.Background(), s)
	checkRun(t, s, 1, true, out, err)
	if text := err.Error(); !strings.Contains(text, "6 of 300 jobs failed") || !strings.Contains(text, "step 7") {
		t.Errorf("the error reads %q", text)
	}
}

func panics(t *testing.T, p Place) {
	if p.Bare {
		t.Skip("panics pass")
	}
	// Two in a row on one worker, the last job, and an error as the value.
	s := steps(50, func(s []Step) { s[10].Act, s[11].Act, s[30].Act, s[49].Act = Panic, Panic, PanicErr, Panic })
	for _, workers := range []int{1, 3} {
		out, err := p.runner(Script{Factor: factor}, jobgen.Workers(workers), jobgen.Seed(seed), jobgen.CollectErrors()).Run(context.Background(), s)
		checkRun(t, s, 1, true, out, err)
	}
}

func goexits(t *testing.T, p Place) {
	if p.Bare {
		t.Skip("runtime.Goexit ends the caller's goroutine")
	}
	s := steps(50, func(s []Step) { s[0].Act, s[11].Act, s[12].Act, s[49].Act = Goexit, Goexit, Goexit, Goexit })
	for _, workers := range []int{1, 3} {
		out, err := p.runner(Script{Factor: factor}, jobgen.Workers(workers), jobgen.Seed(seed), jobgen.CollectErrors()).Run(context.Background(), s)
		checkRun(t, s, 1, true, out, err)
	}
}

func retries(t *testing.T, p Place) {
	s := steps(60, func(s []Step) {
		s[5] = Step{Act: Flaky, Arg: 5, Fails: 1}
		s[6] = Step{Act: Flaky, Arg: 6, Fails: 2}
		s[7] = Step{Act: Flaky, Arg: 7, Fails: 3}
		s[8].Act = Fail
	})
	for _, attempts := range []int{1, 2, 3, 4} {
		out, err := p.runner(Script{Factor: factor}, jobgen.Workers(2), jobgen.Seed(seed), jobgen.CollectErrors(),
			jobgen.Retry(attempts, time.Millisecond)).Run(context.Background(), s)
		checkRun(t, s, attempts, true, out, err)
	}
}

func timeouts(t *testing.T, p Place) {
	if p.Bare {
		t.Skip("debug mode has no time limits")
	}
	const limit = 20 * time.Millisecond
	// One job that heeds its context and returns its error, one that heeds it and succeeds, late.
	s := steps(10, func(s []Step) { s[2].Act, s[5].Act = Wait, Hold })
	out, err := p.runner(Script{Factor: factor}, jobgen.Workers(2), jobgen.Seed(seed), jobgen.CollectErrors(),
		jobgen.JobTimeout(limit)).Run(context.Background(), s)
	var e *jobgen.RunError
	if !errors.As(err, &e) || len(e.Jobs) < 2 {
		t.Fatalf("two jobs are to run out of time: %v", err)
	}
	late := map[int]bool{}
	for _, j := range e.Jobs { // on a busy machine others may be late too
		late[j.Index] = true
		if !errors.Is(j, context.DeadlineExceeded) || !strings.Contains(j.Error(), "limit") {
			t.Errorf("job %d: %v", j.Index, j)
		}
		checkMissing(t, j.Index, out[j.Index])
	}
	if !late[2] || !late[5] {
		t.Errorf("jobs out of time: %v, want 2 and 5", late)
	}
	for i := range s {
		if !late[i] {
			checkValue(t, i, s[i], out[i])
		}
	}
}

var errCause = errors.New("the caller has had enough")

func cancels(t *testing.T, p Place) {
	for _, collect := range []bool{false, true} {
		ctx, cancel := context.WithCancelCause(context.Background())
		s := steps(64, func(s []Step) { s[9].Act, s[10].Act = Wait, Wait })
		var ended atomic.Int32
		opts := []jobgen.Option{jobgen.Workers(2), jobgen.Seed(seed), jobgen.Observe(jobgen.Observer{
			JobDone: func(jobgen.RunInfo, jobgen.JobInfo) {
				if ended.Add(1) == 9 {
					time.AfterFunc(time.Millisecond, func() { cancel(errCause) })
				}
			},
		})}
		if collect {
			opts = append(opts, jobgen.CollectErrors())
		}
		out, err := p.runner(Script{Factor: factor}, opts...).Run(ctx, s)
		var e *jobgen.RunError
		if !errors.As(err, &e) || !errors.Is(err, errCause) || e.Cause != errCause {
			t.Fatalf("cancelled, the run returned %v", err)
		}
		if len(e.Jobs) > 0 {
			t.Errorf("jobs that were only interrupted are reported as failed: %v", err)
		}
		if e.HasResult(9) || e.HasResult(10) {
			t.Error("an interrupted job has a result")
		}
		for i := range s {
			if e.HasResult(i) {
				checkValue(t, i, s[i], out[i])
			}
		}
		if e.NotRun > len(s)-9 {
			t.Errorf("%d jobs not run, but 9 had ended", e.NotRun)
		}
	}
}

func cancelledBefore(t *testing.T, p Place) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errCause)
	r := p.runner(Script{Factor: factor})
	_, err := r.Run(ctx, steps(10, nil))
	var e *jobgen.RunError
	if !errors.As(err, &e) || !errors.Is(err, errCause) || e.NotRun != 10 {
		t.Errorf("Run under a dead context: %v", err)
	}
	if out, err := r.Run(ctx, nil); err != nil || len(out) != 0 {
		t.Errorf("nothing to do under a dead context: %v, %v", out, err)
	}
	n := 0
	for _, err := range r.Stream(ctx, func(func(Step) bool) { t.Error("the input is read under a dead context") }) {
		if n++; !errors.Is(err, errCause) {
			t.Errorf("Stream under a dead context: %v", err)
		}
	}
	if n > 1 {
		t.Errorf("%d results", n)
	}
	b := r.Batch(ctx)
	if _, err := b.Submit(Step{}).Get(context.Background()); !errors.Is(err, jobgen.ErrNotRun) || !errors.Is(err, errCause) {
		t.Errorf("a future under a dead context: %v", err)
	}
	if _, err := b.Wait(); !errors.Is(err, errCause) {
		t.Errorf("Batch under a dead context: %v", err)
	}
}

func cancelAfterTheLast(t *testing.T, p Place) {
	ctx, cancel := context.WithCancel(context.Background())
	s := steps(5, nil)
	out, err := p.runner(Script{Factor: factor}, jobgen.Workers(1), jobgen.Seed(seed), jobgen.Observe(jobgen.Observer{
		JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
			if j.Index == 4 {
				cancel()
			}
		},
	})).Run(ctx, s)
	if err != nil {
		t.Errorf("all jobs had their results, but the run returned %v", err)
	}
	checkRun(t, s, 1, false, out, err)
}

func setupFails(t *testing.T, p Place) {
	for act, text := range map[Act]string{Fail: errSetup.Error(), Panic: errSetup.Error(), Goexit: jobgen.ErrGoexit.Error()} {
		if act == Fail || !p.Bare {
			t.Run(string(act), func(t *testing.T) { setupFailsBy(t, p, act, text) })
		}
	}
}

func setupFailsBy(t *testing.T, p Place, act Act, text string) {
	r := p.runner(Script{Factor: factor, FailSetup: act}, jobgen.Workers(3))
	_, err := r.Run(context.Background(), steps(20, nil))
	var e *jobgen.RunError
	if !errors.As(err, &e) || len(e.Jobs) != 0 || e.Cause == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("Setup fails, and the run returned %v", err)
	}
	if e != nil && e.NotRun != 20 {
		t.Errorf("%d jobs not run, want all 20", e.NotRun)
	}
	n := 0
	for _, err := range r.Stream(context.Background(), func(yield func(Step) bool) {
		for yield(Step{}) {
		}
	}) {
		if n++; err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("Setup fails, and the stream yields %v", err)
		}
	}
	if n != 1 {
		t.Errorf("a stream that cannot start yields %d times", n)
	}
}

func closeFails(t *testing.T, p Place) {
	s := steps(20, nil)
	out, err := p.runner(Script{Factor: factor, FailClose: true}, jobgen.Workers(2), jobgen.Seed(seed)).Run(context.Background(), s)
	if err == nil || !strings.Contains(err.Error(), errClose.Error()) {
		t.Errorf("Close fails, and the run returned %v", err)
	}
	for i := range s {
		checkValue(t, i, s[i], out[i])
	}
}

func many(t *testing.T, p Place) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	s := steps(n, func(s []Step) { s[n-2].Act = Fail })
	out, err := p.runner(Script{Factor: factor}, jobgen.Workers(3), jobgen.Seed(seed)).Run(context.Background(), s)
	checkRun(t, s, 1, false, out, err)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the error does not unwrap to the job's: %v", err)
	}
}
