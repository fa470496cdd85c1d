//go:build unix

package jobgen_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

var (
	errKnown = errors.New("an error that both sides know")
	errHome  = errors.New("an error that only one side knows")
)

func init() { jobgen.RegisterError(errKnown) }

var errorsByName = map[string]error{
	"known":   fmt.Errorf("job: %w", errKnown),
	"home":    fmt.Errorf("job: %w", errHome),
	"eof":     io.ErrUnexpectedEOF,
	"path":    &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT},
	"joined":  errors.Join(io.EOF, context.DeadlineExceeded),
	"range":   &strconv.NumError{Func: "Atoi", Num: "x", Err: strconv.ErrRange},
	"timeout": fmt.Errorf("slow: %w", os.ErrDeadlineExceeded),
	"program": &exec.Error{Name: "x", Err: exec.ErrNotFound},
	"scanner": fmt.Errorf("line 3: %w", bufio.ErrTooLong),
	"nested":  nestedError(),
}

// nestedError is of a run that a job has made: a failed job, and one that had a result.
func nestedError() error {
	_, err := jobgen.Map(context.Background(), []string{"good", "bad", "good"}, func(_ context.Context, in string) (int, error) {
		if in == "bad" {
			return 0, io.EOF
		}
		return 1, nil
	}, jobgen.Workers(1), jobgen.CollectErrors())
	return fmt.Errorf("inside: %w", err)
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
			strconv.ErrRange, os.ErrDeadlineExceeded, syscall.ENOENT, exec.ErrNotFound, bufio.ErrTooLong} {
			want := errors.Is(original, target) && target != errHome
			if got := errors.Is(j.Err, target); got != want {
				t.Errorf("%s: errors.Is(%v) is %v", name, target, got)
			}
		}
	}
	var nested *jobgen.RunError
	inner := run.Jobs[slices.Index(in, "error nested")].Err
	if !errors.As(inner, &nested) || len(nested.Jobs) != 1 || nested.Jobs[0].Index != 1 || nested.Jobs[0].Err != io.EOF ||
		!nested.HasResult(0) || nested.HasResult(1) || nested.HasResult(3) {
		t.Errorf("the error of a run in a job: %#v", inner)
	}
	var remote *jobgen.RemoteError
	if !errors.As(err, &remote) {
		t.Error("there is no RemoteError")
	}
}
