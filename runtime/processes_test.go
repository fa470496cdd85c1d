//go:build unix

package jobgen_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// mortal is a worker whose jobs do what kills a process.
type mortal struct {
	In string // where it does it: "setup", "close", "decode", "encode"; "" means in the job
	As string // what it does there
}

func (m *mortal) Setup(context.Context) error {
	if m.In == "setup" {
		die(m.As)
	}
	return nil
}

func (m *mortal) Close() error {
	if m.In == "close" {
		die(m.As)
	}
	return nil
}

var (
	errKnown = errors.New("an error that both sides know")
	errHome  = errors.New("an error that only one side knows")
)

func init() { jobgen.RegisterError(errKnown) }

func (m *mortal) Do(ctx context.Context, in string) (string, error) {
	verb, arg, _ := strings.Cut(in, " ")
	switch verb {
	case "pid":
		return strconv.Itoa(os.Getpid()), nil
	case "error":
		return "", errorsByName[arg]
	case "print":
		fmt.Println(arg)
		fmt.Fprintln(os.Stderr, arg)
		return "", nil
	case "log":
		jobgen.Log(ctx).Info(arg, "n", 3, "x", 1.5, "took", time.Second, slog.Group("g", "a", true))
		return "", nil
	case "env":
		return os.Getenv(arg), nil
	case "spin":
		for start := time.Now(); time.Since(start) < 50*time.Microsecond; {
		}
	case "hang":
		hang()
	case "leak":
		var kept [][]byte
		for range 1 << 12 { // 4 GB, if nobody stops it
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
		}
		return strconv.Itoa(len(kept)), nil
	case "wait":
		<-ctx.Done()
		return "", ctx.Err()
	case "die":
		die(arg)
	case "exit": // whatever follows
		os.Exit(3)
	}
	return in, nil
}

//go:noinline
func hang() {
	for n := 0; ; n++ { // keeps the processor busy, which hides it from a dump that a signal asks for
		if n == -1 {
			return
		}
	}
}

// die ends the process.
func die(how string) {
	switch how {
	case "SIGKILL":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "exit 0":
		os.Exit(0)
	case "exit 3":
		os.Exit(3)
	case "map":
		runtime.GOMAXPROCS(4)
		m := map[int]int{}
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%10] = i
				}
			}()
		}
		select {}
	case "goroutine":
		go panic("in another goroutine")
		select {}
	case "stack":
		fmt.Println(deep(1))
	case "close":
		syscall.Close(4)
	case "panic":
		panic("deliberate")
	case "goexit":
		runtime.Goexit()
	}
}

// deep goes deeper than any stack.
func deep(n int) int {
	if n == 0 { // after an overflow of n
		return 0
	}
	return deep(n+1) + 1
}

var errorsByName = map[string]error{
	"known":   fmt.Errorf("job: %w", errKnown),
	"home":    fmt.Errorf("job: %w", errHome),
	"eof":     io.ErrUnexpectedEOF,
	"path":    &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT},
	"joined":  errors.Join(io.EOF, context.DeadlineExceeded),
	"range":   &strconv.NumError{Func: "Atoi", Num: "x", Err: strconv.ErrRange},
	"timeout": fmt.Errorf("slow: %w", os.ErrDeadlineExceeded),
}

func mortalSpec(m mortal) jobgen.Spec[string, string] {
	make := func(m mortal) func() jobgen.Instance[string, string] {
		return func() jobgen.Instance[string, string] {
			m := m
			return jobgen.Instance[string, string]{Setup: m.Setup, Do: m.Do, Close: m.Close}
		}
	}
	line := func(b []byte, v any) ([]byte, error) {
		text, err := json.Marshal(v)
		return append(append(b, text...), '\n'), err
	}
	read := func(b []byte, v any) ([]byte, error) {
		text, rest, _ := bytes.Cut(b, []byte("\n"))
		return rest, json.Unmarshal(text, v)
	}
	return jobgen.Spec[string, string]{
		Name: "github.com/jobgen/jobgen/runtime_test.mortal",
		New:  make(m),
		Wire: &jobgen.Wire[string, string]{
			Fingerprint: 7,
			Config:      func(b []byte) ([]byte, error) { return line(b, m) },
			Configured: func(config []byte) (func() jobgen.Instance[string, string], error) {
				var m mortal
				_, err := read(config, &m)
				return make(m), err
			},
			AppendIn: func(b []byte, in string) ([]byte, error) { return line(b, in) },
			ReadIn: func(b []byte) (in string, rest []byte, err error) {
				rest, err = read(b, &in)
				if how, ok := strings.CutPrefix(in, "decode "); ok {
					die(how)
				}
				return in, rest, err
			},
			AppendOut: func(b []byte, out string) ([]byte, error) {
				if how, ok := strings.CutPrefix(out, "encode "); ok {
					die(how)
				}
				return line(b, out)
			},
			ReadOut: func(b []byte) (out string, rest []byte, err error) {
				rest, err = read(b, &out)
				return out, rest, err
			},
		},
	}
}

func init() { jobgen.Register(mortalSpec(mortal{})) }

func mortals(m mortal, opts ...jobgen.Option) *jobgen.Runner[string, string] {
	r := jobgen.NewRunner(mortalSpec(m), append([]jobgen.Option{jobgen.Processes(), jobgen.Workers(2)}, opts...)...)
	return &r
}

// among puts one deadly input among harmless ones.
func among(deadly string, n, at int) []string {
	in := make([]string, n)
	for i := range in {
		in[i] = fmt.Sprint("job ", i)
	}
	in[at] = deadly
	return in
}

// Whatever kills a process, only the job that did it fails, and is told how.
func TestDeathIsTheJobs(t *testing.T) {
	for _, test := range []struct {
		in    string
		parts []string
	}{
		{"die SIGKILL", []string{"signal: killed, not by jobgen; did it run out of memory?"}},
		{"die exit 0", []string{"exit status 0"}},
		{"die exit 3", []string{"exit status 3"}},
		{"die map", []string{"fatal error: concurrent map"}},
		{"die goroutine", []string{"exit status 2", "panic: in another goroutine"}},
		{"die stack", []string{"stack"}},
		{"encode exit 3", []string{"exit status 3"}},
	} {
		t.Run(test.in, func(t *testing.T) {
			const n, at = 40, 23
			in := among(test.in, n, at)
			var lost []string
			out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.Observe(jobgen.Observer{
				WorkerLost: func(_ jobgen.RunInfo, worker string, _ error) { lost = append(lost, worker) },
			})).Run(t.Context(), in)
			var run *jobgen.RunError
			var death *jobgen.WorkerLostError
			if !errors.As(err, &run) || !errors.As(err, &death) || len(run.Jobs) != 1 || run.Jobs[0].Index != at || run.NotRun > 0 || run.Cause != nil {
				t.Fatalf("the error is %v", err)
			}
			for _, p := range test.parts {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q is not in: %v", p, err)
				}
			}
			if !strings.HasPrefix(run.Jobs[0].Worker, "process-") || !slices.Equal(lost, []string{run.Jobs[0].Worker}) {
				t.Errorf("it was on %s; %v were lost", run.Jobs[0].Worker, lost)
			}
			for i := range in {
				if i != at && out[i] != in[i] {
					t.Errorf("job %d: %q", i, out[i])
				}
			}
		})
	}
}

// Inputs and results too large for a pipe to be quick reach the other side whole, in the company of small ones, and when
// a process dies among them.
func TestLargeJobs(t *testing.T) {
	const n = 40
	var in []string
	for i := range n {
		size := []int{10, 70_000, 200_000, 100, 600_000}[i%5]
		in = append(in, strings.Repeat(fmt.Sprint("job ", i, " "), size/8))
	}
	for _, deadly := range [][]int{nil, {13}, {31, 32, 39}} {
		in := slices.Clone(in)
		for _, i := range deadly {
			in[i] = "exit " + in[i]
		}
		out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
		var failed []int
		var run *jobgen.RunError
		if errors.As(err, &run) {
			for _, j := range run.Jobs {
				failed = append(failed, j.Index)
			}
		}
		if !slices.Equal(failed, deadly) {
			t.Errorf("jobs %v failed, not %v: %.200v", failed, deadly, err)
		}
		for i := range in {
			if !slices.Contains(deadly, i) && out[i] != in[i] {
				t.Errorf("job %d has another result, of %d bytes", i, len(out[i]))
			}
		}
	}
}

// Many deadly jobs take nothing with them but time.
func TestPoison(t *testing.T) {
	in := among("die exit 3", 300, 0)
	deadly := []int{0, 1, 2, 3, 50, 51, 120, 299}
	for _, i := range deadly {
		in[i] = "die exit 3"
	}
	out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
	var run *jobgen.RunError
	if !errors.As(err, &run) || len(run.Jobs) != len(deadly) {
		t.Fatalf("the error is %v", err)
	}
	for k, i := range deadly {
		if run.Jobs[k].Index != i {
			t.Errorf("failed is job %d, not %d", run.Jobs[k].Index, i)
		}
	}
	for i := range in {
		if !slices.Contains(deadly, i) && out[i] != in[i] {
			t.Errorf("job %d: %q", i, out[i])
		}
	}
}

// A job that is run again after its worker died is run in another process.
func TestRetryAfterDeath(t *testing.T) {
	out, err := mortals(mortal{}, jobgen.Retry(2, 0)).Run(t.Context(), []string{"a", "die exit 3", "b"})
	var run *jobgen.RunError
	if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Attempt != 2 || out[0] != "a" {
		t.Errorf("%v, %v", out, err)
	}
}

// A process that dies where no job can be blamed ends the run with the reason; it does not go on for ever.
func TestDeathOutsideOfJobs(t *testing.T) {
	for _, test := range []struct {
		name  string
		m     mortal
		in    []string
		parts []string
	}{
		{"Setup", mortal{In: "setup", As: "exit 3"}, among("x", 10, 0), []string{"Setup", "exit status 3"}},
		{"decoding", mortal{}, among("decode exit 3", 10, 4), []string{"die outside of their jobs", "exit status 3"}},
		{"Close", mortal{In: "close", As: "exit 3"}, among("x", 10, 0), []string{"Close", "exit status 3"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := mortals(test.m).Run(t.Context(), test.in)
			var run *jobgen.RunError
			if !errors.As(err, &run) || run.Cause == nil || len(run.Jobs) > 0 {
				t.Fatalf("the error is %v", err)
			}
			for _, p := range test.parts {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q is not in: %v", p, err)
				}
			}
			if test.name == "Close" && out[9] != "job 9" {
				t.Error("the results are gone")
			}
		})
	}
}

// A panic, or the end of its goroutine, in what surrounds the jobs is reported, and the process goes on to its end.
func TestPanicsOutsideOfJobs(t *testing.T) {
	for _, as := range []string{"panic", "goexit"} {
		for _, in := range []string{"setup", "close"} {
			t.Run(in+" "+as, func(t *testing.T) {
				var lost atomic.Int64
				_, err := mortals(mortal{In: in, As: as}, jobgen.Observe(jobgen.Observer{
					WorkerLost: func(jobgen.RunInfo, string, error) { lost.Add(1) },
				})).Run(t.Context(), among("x", 10, 0))
				part := map[string]string{"panic": "deliberate", "goexit": jobgen.ErrGoexit.Error()}[as]
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), in+": ") || !strings.Contains(err.Error(), part) || lost.Load() > 0 {
					t.Errorf("%d processes were lost, and the error is %v", lost.Load(), err)
				}
			})
		}
	}
}

// With a window of one the consumer's goroutine waits for the processes itself. What comes out is the same.
func TestWindowOfOne(t *testing.T) {
	in := among("die exit 3", 20, 7)
	in[11] = "error eof"
	n := 0
	for out, err := range mortals(mortal{}, jobgen.Window(1), jobgen.CollectErrors(), jobgen.Retry(2, 0)).Stream(t.Context(), slices.Values(in)) {
		var lost *jobgen.WorkerLostError
		switch {
		case n == 7 && errors.As(err, &lost), n == 11 && errors.Is(err, io.ErrUnexpectedEOF):
		case n < len(in) && (err != nil || out != in[n]):
			t.Errorf("job %d: %q, %v", n, out, err)
		}
		n++
	}
	if n != len(in) {
		t.Errorf("%d results", n)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var last error
	for _, err := range mortals(mortal{}, jobgen.Window(1)).Stream(ctx, slices.Values([]string{"a", "wait", "b"})) {
		if last = err; err == nil {
			time.AfterFunc(20*time.Millisecond, func() { cancel(errHome) })
		}
	}
	if !errors.Is(last, errHome) {
		t.Errorf("after it was cancelled: %v", last)
	}

	defer func() {
		if v := recover(); !strings.Contains(fmt.Sprint(v), "observed") {
			t.Errorf("a panic of an observer came out as %v", v)
		}
	}()
	for range mortals(mortal{}, jobgen.Window(1), jobgen.Observe(jobgen.Observer{
		JobDone: func(jobgen.RunInfo, jobgen.JobInfo) { panic("observed") },
	})).Stream(t.Context(), slices.Values([]string{"a", "b"})) {
		t.Error("there is a result")
	}
	t.Error("no panic")
}

// A descriptor that a job closes is the end of its worker.
func TestClosedDescriptor(t *testing.T) {
	_, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), among("die close", 10, 4))
	var death *jobgen.WorkerLostError
	if !errors.As(err, &death) {
		t.Errorf("the error is %v", err)
	}
}

// A job that goes on after its time limit is killed, and the error shows where it hung.
func TestTimeoutKills(t *testing.T) {
	out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.JobTimeout(300*time.Millisecond)).Run(t.Context(), among("hang", 10, 4))
	var run *jobgen.RunError
	var late *jobgen.TimeoutError
	if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Index != 4 || !errors.As(err, &late) {
		t.Fatalf("the error is %v", err)
	}
	for _, p := range []string{"its limit is 300ms", "its job went on after its time limit", "runtime_test.hang"} {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q is not in: %v", p, err)
		}
	}
	if out[9] != "job 9" {
		t.Error("the jobs after it were not run")
	}
}

// When the run ends, a job that does not is killed.
func TestCancelKills(t *testing.T) {
	for _, job := range []string{"hang", "wait"} {
		t.Run(job, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			out, err := mortals(mortal{}, jobgen.Workers(1), jobgen.Observe(jobgen.Observer{
				JobDone: func(jobgen.RunInfo, jobgen.JobInfo) {
					time.AfterFunc(20*time.Millisecond, func() { cancel(errHome) })
				},
			})).Run(ctx, []string{"a", job, "b"})
			var run *jobgen.RunError
			if !errors.As(err, &run) || run.Cause != errHome || len(run.Jobs) > 0 || !run.HasResult(0) || run.HasResult(1) || out[0] != "a" {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	var in []string
	for name := range errorsByName {
		in = append(in, "error "+name)
	}
	slices.Sort(in)
	_, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
	var run *jobgen.RunError
	if !errors.As(err, &run) || len(run.Jobs) != len(in) {
		t.Fatalf("the error is %v", err)
	}
	for i, j := range run.Jobs {
		name := strings.TrimPrefix(in[i], "error ")
		original := errorsByName[name]
		if j.Err.Error() != original.Error() {
			t.Errorf("%s: the text is %q, not %q", name, j.Err, original)
		}
		for _, target := range []error{errKnown, errHome, io.ErrUnexpectedEOF, io.EOF, context.DeadlineExceeded, fs.ErrNotExist,
			strconv.ErrRange, os.ErrDeadlineExceeded, syscall.ENOENT} {
			want := errors.Is(original, target) && target != errHome
			if got := errors.Is(j.Err, target); got != want {
				t.Errorf("%s: errors.Is(%v) is %v", name, target, got)
			}
		}
	}
	var remote *jobgen.RemoteError
	if !errors.As(err, &remote) {
		t.Error("there is no RemoteError")
	}
}

func TestLogsAreForwarded(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if _, err := mortals(mortal{}, jobgen.Workers(1), jobgen.Logger(logger)).Run(t.Context(), []string{"a", "log hello"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"msg=hello", "job=1", `worker="process-1 (pid `, "n=3", "x=1.5", "took=1s", "g.a=true"} {
		if !strings.Contains(log.String(), p) {
			t.Errorf("%q is not in the log:\n%s", p, &log)
		}
	}
	if n := strings.Count(log.String(), "run started"); n != 1 {
		t.Errorf("%d records of the start:\n%s", n, &log)
	}
}

// Arrays of an arena are the same memory in the process, and results can be written in place.
func TestArraysReachProcesses(t *testing.T) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	a, err := sharedmem.Alloc[float64](arena, 8, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !arena.Stats().Shared {
		t.Skip("arenas are on the heap in this build")
	}
	r := jobgen.NewRunner(doubleSpec(), jobgen.Processes(), jobgen.Workers(2))
	var rows []sharedmem.Array[float64]
	for i := range a.Dim(0) {
		a.Set(float64(i), i, 0)
		rows = append(rows, a.Sub(i))
	}
	pids, err := r.Run(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if got := a.At(i, 1); got != float64(2*i) {
			t.Errorf("row %d: %v", i, got)
		}
	}
	if slices.Contains(pids, os.Getpid()) {
		t.Error("a job ran in this process")
	}
	stale := a.Sub(0)
	if err := arena.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(t.Context(), []sharedmem.Array[float64]{stale}); err == nil || !strings.Contains(err.Error(), "encoding the input") {
		t.Errorf("an array of a closed arena: %v", err)
	}
}

func doubleSpec() jobgen.Spec[sharedmem.Array[float64], int] {
	do := func() jobgen.Instance[sharedmem.Array[float64], int] {
		return jobgen.Instance[sharedmem.Array[float64], int]{Do: func(_ context.Context, row sharedmem.Array[float64]) (int, error) {
			row.Set(2*row.At(0), 1)
			return os.Getpid(), nil
		}}
	}
	type array = sharedmem.Array[float64]
	return jobgen.Spec[array, int]{
		Name: "github.com/jobgen/jobgen/runtime_test.double", New: do,
		Wire: &jobgen.Wire[array, int]{
			Config:     func(b []byte) ([]byte, error) { return b, nil },
			Configured: func([]byte) (func() jobgen.Instance[array, int], error) { return do, nil },
			AppendIn: func(b []byte, in array) ([]byte, error) {
				h, err := in.MarshalBinary()
				return append(append(b, byte(len(h))), h...), err
			},
			ReadIn: func(b []byte) (in array, rest []byte, err error) {
				n := 1 + int(b[0])
				return in, b[n:], in.UnmarshalBinary(b[1:n])
			},
			AppendOut: func(b []byte, out int) ([]byte, error) { return strconv.AppendInt(b, int64(out), 10), nil },
			ReadOut: func(b []byte) (int, []byte, error) {
				n, err := strconv.Atoi(string(b))
				return n, nil, err
			},
		},
	}
}

func init() { jobgen.Register(doubleSpec()) }

// Processors are shared out, and what a person has set for this program's runs does not move those in its jobs.
func TestChildEnvironment(t *testing.T) {
	t.Setenv("JOBGEN_SEED", "5")
	out, err := mortals(mortal{}).Run(t.Context(), []string{"env GOMAXPROCS", "env JOBGEN_SEED", "env JOBGEN_WORKER", "env OMP_NUM_THREADS"})
	share := strconv.Itoa(max(1, runtime.GOMAXPROCS(0)/2))
	if want := []string{share, "", "", share}; err != nil || !slices.Equal(out, want) {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
}

func TestBackendByEnvironment(t *testing.T) {
	for backend, processes := range map[string]int{"processes:1": 1, "processes:3": 3, "processes": 2, "goroutines": 0} {
		t.Setenv("JOBGEN_BACKEND", backend)
		r := jobgen.NewRunner(mortalSpec(mortal{}), jobgen.Workers(2))
		info := make(chan jobgen.RunInfo, 1)
		out, err := r.Run(t.Context(), slices.Repeat([]string{"pid"}, 50), jobgen.Observe(jobgen.Observer{
			RunStarted: func(i jobgen.RunInfo) { info <- i },
		}))
		if err != nil {
			t.Fatal(err)
		}
		here := strconv.Itoa(os.Getpid())
		if i := <-info; processes > 0 && (i.Workers != processes || i.Backend != "processes" || slices.Contains(out, here)) || processes == 0 && out[0] != here {
			t.Errorf("%s: %+v, pids %v", backend, i, out[:5])
		}
	}
	for _, bad := range []string{"processes:0", "processes:x", "processes:"} {
		t.Setenv("JOBGEN_BACKEND", bad)
		r := jobgen.NewRunner(mortalSpec(mortal{}))
		if _, err := r.Run(t.Context(), []string{"pid"}); err == nil || !strings.Contains(err.Error(), "processes:N") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestMaxJobsPerWorker(t *testing.T) {
	out, err := mortals(mortal{}, jobgen.MaxJobsPerWorker(7)).Run(t.Context(), slices.Repeat([]string{"pid"}, 100))
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]int{}
	for _, pid := range out {
		jobs[pid]++
	}
	for pid, n := range jobs {
		if n > 7 {
			t.Errorf("process %s ran %d jobs", pid, n)
		}
	}
	if len(jobs) < 100/7 {
		t.Errorf("there were only %d processes", len(jobs))
	}
}

func TestMemoryLimit(t *testing.T) {
	if raceEnabled || runtime.GOOS != "linux" {
		t.Skip("not under the race detector, which takes memory of its own, and only on Linux")
	}
	out, err := mortals(mortal{}, jobgen.MemoryLimit(256<<20), jobgen.CollectErrors()).Run(t.Context(), among("leak", 10, 4))
	var run *jobgen.RunError
	var death *jobgen.WorkerLostError
	if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Index != 4 || !errors.As(err, &death) || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("the error is %v", err)
	}
	if out[9] != "job 9" {
		t.Error("the other jobs were not run")
	}
}

// Limits that cannot be kept to are an error, not a hope.
func TestLimitsNeedProcesses(t *testing.T) {
	for _, o := range []jobgen.Option{jobgen.MaxJobsPerWorker(3), jobgen.MemoryLimit(1 << 30)} {
		_, err := mortals(mortal{}, jobgen.Goroutines()).Run(t.Context(), []string{"a"}, o)
		var run *jobgen.RunError
		if !errors.As(err, &run) || run.NotRun != 1 || !strings.Contains(err.Error(), "use jobgen.Processes()") {
			t.Errorf("on goroutines: %v", err)
		}
		if _, err := mortals(mortal{}, jobgen.Debug()).Run(t.Context(), []string{"a"}, o); err != nil {
			t.Errorf("in debug mode: %v", err)
		}
	}
	if _, err := mortals(mortal{}, jobgen.MemoryLimit(1000)).Run(t.Context(), []string{"a"}); err == nil {
		t.Error("a thousand bytes were accepted")
	}
}

// Somebody kills workers while they run. Each job that is hit is run again, and all have their results.
func TestChaos(t *testing.T) {
	const n = 3000
	in := among("x", n, 0)
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var pids []int
	lost := 0
	var done atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(random.IntN(6)+2) * time.Millisecond):
			}
			mu.Lock()
			if len(pids) > 0 && done.Load() < n-500 { // a worker that dies after its last job has not been closed: an error
				syscall.Kill(pids[random.IntN(len(pids))], syscall.SIGKILL)
			}
			mu.Unlock()
		}
	})
	// spin makes the jobs long enough for somebody to be hit.
	for i := range in {
		in[i] = fmt.Sprint("spin ", i)
	}
	pidOf := func(worker string) (pid int) {
		fmt.Sscanf(worker[strings.Index(worker, "("):], "(pid %d)", &pid)
		return pid
	}
	out, err := mortals(mortal{}, jobgen.Workers(3), jobgen.Retry(100, 0), jobgen.Observe(jobgen.Observer{
		JobDone: func(_ jobgen.RunInfo, j jobgen.JobInfo) {
			if j.Err == nil {
				done.Add(1)
			}
		},
		WorkerStarted: func(_ jobgen.RunInfo, worker string) {
			mu.Lock()
			defer mu.Unlock()
			pids = append(pids, pidOf(worker))
		},
		WorkerLost: func(_ jobgen.RunInfo, worker string, _ error) {
			mu.Lock()
			defer mu.Unlock()
			lost++
			pids = slices.DeleteFunc(pids, func(p int) bool { return p == pidOf(worker) })
		},
	})).Run(t.Context(), in)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatalf("after %d deaths: %v", lost, err)
	}
	if !slices.Equal(out, in) {
		t.Error("results are wrong")
	}
	if lost < 3 {
		t.Errorf("only %d workers were lost", lost)
	}
	t.Logf("%d workers were lost", lost)
}

// roles are played by this test's binary, started again: what happens to a whole program.
var roles = map[string]func() int{
	"forgetful": func() int { // without Init
		r := mortals(mortal{})
		_, err := r.Run(context.Background(), []string{"a"})
		fmt.Println(err)
		return 0
	},
	"parent": func() int {
		jobgen.Init()
		go func() { // the test is gone, too
			io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		r := mortals(mortal{}, jobgen.Observe(jobgen.Observer{WorkerStarted: func(_ jobgen.RunInfo, worker string) { fmt.Println(worker) }}))
		_, err := r.Run(context.Background(), slices.Repeat([]string{"hang"}, 2))
		fmt.Println(err)
		return 0
	},
	"print": func() int {
		jobgen.Init()
		r := mortals(mortal{})
		_, err := r.Run(context.Background(), []string{"a", "print hello"})
		fmt.Println(err)
		return 0
	},
}

func init() {
	playRole = func() (int, bool) {
		role := roles[os.Getenv("TEST_ROLE")]
		if role == nil || os.Getenv("JOBGEN_WORKER") != "" {
			return 0, false
		}
		return role(), true
	}
}

func play(role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_PROCESS=1", "TEST_ROLE="+role)
	return cmd
}

// A program that forgets Init is told so, and starts nothing.
func TestWithoutInit(t *testing.T) {
	out, err := play("forgetful").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "has not called jobgen.Init()") || !strings.Contains(string(out), "TestMain") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOutputIsForwarded(t *testing.T) {
	cmd := play("print")
	var errout bytes.Buffer
	cmd.Stderr = &errout
	out, err := cmd.Output()
	for name, text := range map[string]string{"stdout": string(out), "stderr": errout.String()} {
		if err != nil || !strings.Contains(text, "[process-") || !strings.Contains(text, "] hello\n") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// A parent that is killed leaves no child.
func TestKilledParentLeavesNoChild(t *testing.T) {
	cmd := play("parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for range 2 {
		var worker string
		var pid int
		if _, err := fmt.Fscanf(out, "%s (pid %d)\n", &worker, &pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for _, pid := range pids {
		for deadline := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d lives on", pid)
			}
		}
	}
}

// alive reports whether a process runs; one that nobody has waited for yet does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
