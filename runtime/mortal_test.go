//go:build unix

package jobgen_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// mortal is a worker that dies, or fails in another way, where it is told to: the places of a job are in its
// input, as in "do exit 3"; those of the worker itself are here.
type mortal struct {
	In string // "write-config", "read-config", "setup" or "close"; "" means nowhere
	As string // what it does there, see die
}

// The places of a job, in the order in which it comes to them. The first and the last are in the parent.
const (
	atAppendIn  = "append-in"
	atReadIn    = "read-in"
	atMapJob    = "map-job"
	atDo        = "do"
	atAppendOut = "append-out"
	atReadOut   = "read-out"
)

// meet does what input asks for at a place: "do exit 3" exits there.
func meet(place, input string) error {
	if how, ok := strings.CutPrefix(input, place+" "); ok {
		return die(how)
	}
	return nil
}

func (m *mortal) meet(place string) error {
	if m.In == place {
		return die(m.As)
	}
	return nil
}

func (m *mortal) Setup(context.Context) error { return m.meet("setup") }
func (m *mortal) Close() error                { return m.meet("close") }

// MapJob stands before Do, where generated code would call it.
func (m *mortal) MapJob(ctx context.Context, in string) (string, error) {
	if err := meet(atMapJob, in); err != nil {
		return "", err
	}
	return m.Do(ctx, in)
}

func (m *mortal) Do(ctx context.Context, in string) (string, error) {
	if err := meet(atDo, in); err != nil {
		return "", err
	}
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
	case "large":
		n, err := strconv.Atoi(arg)
		return strings.Repeat("x", n), err
	case "leak":
		return strconv.Itoa(leak()), nil
	case "wait":
		<-ctx.Done()
		return "", ctx.Err()
	case "tell": // that it has begun, and that it was told to end
		fmt.Println("begun", os.Getpid())
		<-ctx.Done()
		fmt.Println("told", os.Getpid())
		return "", ctx.Err()
	case "context": // what the context says, after a file says that the job has begun
		return tellContext(ctx, arg)
	case "cause":
		_, err := tellContext(ctx, arg)
		return "", errors.Join(err, context.Cause(ctx))
	case "child":
		return startChild(arg)
	case "exit": // whatever follows
		os.Exit(3)
	case "nested":
		return runNested(ctx, arg)
	}
	return in, nil
}

func mortalSpec(m mortal) jobgen.Spec[string, string] {
	make := func(m mortal) func() jobgen.Instance[string, string] {
		return func() jobgen.Instance[string, string] {
			m := m
			return jobgen.Instance[string, string]{Setup: m.Setup, Do: m.MapJob, Close: m.Close}
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
			Config: func(b []byte) ([]byte, error) {
				if err := m.meet("write-config"); err != nil {
					return nil, err
				}
				return line(b, m)
			},
			Configured: func(config []byte) (func() jobgen.Instance[string, string], error) {
				var m mortal
				_, err := read(config, &m)
				return make(m), errors.Join(err, m.meet("read-config"))
			},
			AppendIn: func(b []byte, in string) ([]byte, error) {
				if err := meet(atAppendIn, in); err != nil {
					return nil, err
				}
				return line(b, in)
			},
			ReadIn: func(b []byte) (in string, rest []byte, err error) {
				rest, err = read(b, &in)
				return in, rest, errors.Join(err, meet(atReadIn, in))
			},
			AppendOut: func(b []byte, out string) ([]byte, error) {
				if err := meet(atAppendOut, out); err != nil {
					return nil, err
				}
				return line(b, out)
			},
			ReadOut: func(b []byte) (out string, rest []byte, err error) {
				rest, err = read(b, &out)
				return out, rest, errors.Join(err, meet(atReadOut, out))
			},
		},
	}
}

func init() { jobgen.Register(mortalSpec(mortal{})) }

func mortals(m mortal, opts ...jobgen.Option) *jobgen.Runner[string, string] {
	r := jobgen.NewRunner(mortalSpec(m), append([]jobgen.Option{jobgen.Processes(), jobgen.Workers(2)}, opts...)...)
	return &r
}

// among returns n inputs, all harmless but those at some places.
func among(deadly string, n int, at ...int) []string {
	in := make([]string, n)
	for i := range in {
		in[i] = fmt.Sprint("job ", i)
	}
	for _, i := range at {
		in[i] = deadly
	}
	return in
}

// checkOthers checks that each job but those at some places has its result, which is its input.
func checkOthers(t *testing.T, in, out []string, at ...int) {
	t.Helper()
	failed := map[int]bool{}
	for _, i := range at {
		failed[i] = true
	}
	for i := range in {
		if !failed[i] && out[i] != in[i] {
			t.Errorf("job %d: %.50q, want %.50q", i, out[i], in[i])
		}
	}
}

// checkJobs checks that those jobs have failed, and no other, and that the run has not stopped.
func checkJobs(t *testing.T, err error, at ...int) []*jobgen.JobError {
	t.Helper()
	var run *jobgen.RunError
	if !errors.As(err, &run) {
		t.Fatalf("the error is %v", err)
	}
	var failed []int
	for _, j := range run.Jobs {
		failed = append(failed, j.Index)
	}
	if fmt.Sprint(failed) != fmt.Sprint(at) || run.NotRun > 0 || run.Cause != nil {
		t.Fatalf("jobs %v have failed, want %v; the error is %v", failed, at, err)
	}
	return run.Jobs
}

func checkText(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q is not in: %v", p, err)
		}
	}
}
