//go:build unix

package jobgen_test

import (
	"bytes"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

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
