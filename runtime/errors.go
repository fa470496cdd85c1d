package jobgen

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrGoexit is the error of a job that called runtime.Goexit, as t.FailNow does in a test.
var ErrGoexit = errors.New("the job called runtime.Goexit (t.FailNow and t.SkipNow do)")

// ErrNotRun is the error of a [Future] whose job was never started, or was given up, because its
// batch had stopped. It is joined with the reason.
var ErrNotRun = errors.New("the job was not run")

// RunError is the error of a run in which a job failed or which stopped before its end.
//
// It unwraps to the [JobError] of each failed job and to Cause, so errors.Is and errors.As find
// what a job returned.
type RunError struct {
	// Jobs holds the failed jobs by index. When the run stops at the first failure (the default)
	// it holds one: the job that a serial loop would have seen fail first.
	Jobs []*JobError

	// NotRun counts the jobs that were never started. A stream, whose inputs have no known end,
	// counts those that it had taken from its input.
	NotRun int

	// Cause says why the run stopped before its end for a reason other than a failed job: the
	// cancellation cause of the context, an option that cannot be honoured, a worker's Setup. It
	// is also set when a worker's Close failed, which happens after the last job. It is nil
	// otherwise.
	Cause error

	jobs int   // how many jobs the run had, or -1 where that is not known
	gaps spans // the jobs that failed nowhere in Jobs and have no result
}

// Error names the number of failed jobs, the first few of them, and the reason for an early end.
func (e *RunError) Error() string {
	var b strings.Builder
	b.WriteString("jobgen: ")
	sep := ""
	if e.Cause != nil {
		fmt.Fprintf(&b, "%v", e.Cause)
		sep = "; "
	}
	const shown = 3
	switch n := len(e.Jobs); {
	case n == 1:
		fmt.Fprintf(&b, "%s%v", sep, e.Jobs[0])
		sep = "; "
	case n > 1:
		b.WriteString(sep)
		if e.jobs > 0 {
			fmt.Fprintf(&b, "%d of %d jobs failed", n, e.jobs)
		} else {
			fmt.Fprintf(&b, "%d jobs failed", n)
		}
		for _, j := range e.Jobs[:min(n, shown)] {
			fmt.Fprintf(&b, "\n\t%v", j)
		}
		if n > shown {
			fmt.Fprintf(&b, "\n\tand %d more", n-shown)
		}
		sep = "\n\t"
	}
	if e.NotRun > 0 {
		fmt.Fprintf(&b, "%s%s not run", sep, count(e.NotRun, "job"))
	}
	return b.String()
}

// Unwrap returns the failed jobs, by index, and then Cause.
func (e *RunError) Unwrap() []error {
	errs := make([]error, 0, len(e.Jobs)+1)
	for _, j := range e.Jobs {
		errs = append(errs, j)
	}
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

// HasResult reports whether the result at index is what the job returned. It is false for a job
// that failed, was not run, or was interrupted by the end of the run, and tells their zero values
// from real ones.
func (e *RunError) HasResult(index int) bool {
	if index < 0 || e.jobs >= 0 && index >= e.jobs || e.gaps.contain(int64(index)) {
		return false
	}
	_, failed := slices.BinarySearchFunc(e.Jobs, index, func(j *JobError, i int) int { return cmp.Compare(j.Index, i) })
	return !failed
}

// JobError is the failure of one job.
type JobError struct {
	// Index is the job's place among the inputs, from 0.
	Index int

	// Attempt is the attempt that failed last, from 1.
	Attempt int

	// Worker names the worker that ran the job: "goroutine-2".
	Worker string

	// Job shows the job as a call with a shortened input: `stats.Variance("a.csv")`.
	Job string

	// Err is what Do returned, a [*PanicError], [ErrGoexit], a [*TimeoutError], or a
	// [*WorkerLostError].
	Err error
}

func (e *JobError) Error() string {
	attempt := ""
	if e.Attempt > 1 {
		attempt = fmt.Sprintf(", attempt %d", e.Attempt)
	}
	return fmt.Sprintf("job %d, %s, on %s%s: %v", e.Index, e.Job, e.Worker, attempt, e.Err)
}

// Unwrap returns Err.
func (e *JobError) Unwrap() error { return e.Err }

// PanicError is the error of a job that panicked. The other jobs of its run are not harmed, and
// the worker on which it ran is made anew. A fault in mapped memory (a slice of an arena that was closed, a
// write to a read-only array, a file that was cut short) is such a panic, whose Value is a
// [*github.com/jobgen/jobgen/sharedmem.FaultError] that names the memory.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // the goroutine's stack where it panicked, as debug.Stack formats it
}

// Error shows the value and where it was raised; the whole stack is in Stack, and is printed by
// the verb %+v.
func (e *PanicError) Error() string {
	if at := panicSite(e.Stack); at != "" {
		return fmt.Sprintf("panic: %v (at %s)", e.Value, at)
	}
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap returns Value if it is an error, nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Format prints the error; %+v adds the stack.
func (e *PanicError) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		fmt.Fprintf(f, "%q", e.Error())
		return
	}
	fmt.Fprint(f, e.Error())
	if verb == 'v' && f.Flag('+') {
		fmt.Fprintf(f, "\n\n%s", e.Stack)
	}
}

// WorkerLostError is the error of a job whose worker process died while the job was running. The
// job may have run in part.
type WorkerLostError struct {
	Reason string // how it died: "signal: killed", "exit status 3"
	Stderr string // the end of what it wrote on its standard error
}

func (e *WorkerLostError) Error() string {
	if e.Stderr == "" {
		return "the worker process was lost: " + e.Reason
	}
	return "the worker process was lost: " + e.Reason + "; the end of its standard error:\n" + e.Stderr
}

// panicSite finds the function, file and line that panicked in a stack as debug.Stack prints it:
// the frame below the last call of panic.
func panicSite(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if !strings.HasPrefix(lines[i], "panic(") {
			continue
		}
		// Two lines for panic itself, then two lines a frame. The runtime's own frames
		// (a nil dereference, an index out of range) come before the user's, as do those of arrays.
		for k := i + 2; k+1 < len(lines); k += 2 {
			fn, at := lines[k], strings.TrimSpace(lines[k+1])
			if strings.HasPrefix(fn, "runtime.") || strings.HasPrefix(fn, arrayPackage+".") {
				continue
			}
			if cut := strings.LastIndex(fn, "("); cut > 0 {
				fn = fn[:cut]
			}
			at, _, _ = strings.Cut(at, " +0x")
			return fn + " " + at
		}
	}
	return ""
}

// count is n with its noun, which takes an s unless n is 1.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
