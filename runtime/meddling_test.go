//go:build unix

package jobgen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Jobs that meddle with what is not theirs: the descriptors on which their process talks to its parent, its
// children, and this package itself.

// A job that closes descriptors which are not its own is the end of its worker, and not of the run.
func TestClosedDescriptors(t *testing.T) {
	for _, how := range []string{"close in", "close out", "close control", "close all", "close all and hang"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			in := among(atDo+" "+how, 10, 4)
			out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
			if err == nil { // the job had ended, and had its result told, before somebody noticed
				checkOthers(t, in, out)
				return
			}
			var death *jobgen.WorkerLostError
			if !errors.As(checkJobs(t, err, 4)[0], &death) {
				t.Errorf("the error is %v", err)
			}
			checkText(t, err, "a job")
			checkOthers(t, in, out, 4)
		})
	}
}

// A job that reads what its worker is sent harms the worker, and no job after it.
func TestStrayRead(t *testing.T) {
	t.Parallel()
	in := among(atDo+" read", 10, 0)
	out, err := mortals(mortal{}, jobgen.Workers(1)).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	checkOthers(t, in, out)
}

// Standard input, output and error are a job's to close.
func TestClosedStdio(t *testing.T) {
	t.Parallel()
	in := among(atDo+" close stdio", 10, 4)
	out, err := mortals(mortal{}).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	checkOthers(t, in, out)
}

// What a job writes to its worker's descriptors is noticed.
func TestGarbage(t *testing.T) {
	for _, how := range []string{"garbage", "zeros"} { // the job itself ends well
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			in := among(atDo+" "+how, 10, 4)
			out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(t.Context(), in)
			checkJobs(t, err, 4)
			checkText(t, err, "what it sends makes no sense", "a descriptor that is not its own")
			checkOthers(t, in, out, 4)
		})
	}
}

// startChild starts a process that outlives its job, and holds the worker's standard output and error open.
func startChild(then string) (string, error) {
	cmd := exec.Command("sleep", "1000")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return "", err
	}
	fmt.Fprintln(os.Stderr, "a child", cmd.Process.Pid)
	if then != "" {
		return "", die(then)
	}
	return strconv.Itoa(cmd.Process.Pid), nil
}

// A process that a job has started holds nobody up, and ends with the job's worker, however that ends.
func TestGrandchildren(t *testing.T) {
	if _, err := exec.LookPath("sleep"); err != nil {
		t.Skip(err)
	}
	for _, then := range []string{"", "exit 3", "SIGKILL", "hang"} {
		t.Run("then "+then, func(t *testing.T) {
			t.Parallel()
			opts := []jobgen.Option{jobgen.CollectErrors()}
			if then == "hang" {
				opts = append(opts, jobgen.JobTimeout(2*time.Second))
			}
			out, err := mortals(mortal{}, opts...).Run(t.Context(), []string{"a", "child " + then, "b"})
			var pid int
			if then == "" {
				if err != nil {
					t.Fatal(err)
				}
				pid, _ = strconv.Atoi(out[1])
			} else {
				var death *jobgen.WorkerLostError
				if !errors.As(checkJobs(t, err, 1)[0], &death) {
					t.Fatal(err)
				}
				_, text, _ := strings.Cut(death.Stderr, "a child ")
				fmt.Sscan(text, &pid)
			}
			if pid == 0 {
				t.Fatalf("which is the child? %v", err)
			}
			if out[0] != "a" || out[2] != "b" {
				t.Errorf("%q", out)
			}
			if !ends(pid) {
				t.Errorf("process %d lives on", pid)
			}
		})
	}
}

// runNested is a job that runs jobs of its own in processes.
func runNested(ctx context.Context, job string) (string, error) {
	in := among(job, 6, 3)
	out, err := mortals(mortal{}, jobgen.CollectErrors()).Run(ctx, in)
	return strings.Join(out, ","), err
}

// A job can itself run jobs in processes. What becomes of those is its own affair.
func TestNestedProcesses(t *testing.T) {
	t.Parallel()
	out, err := mortals(mortal{}, jobgen.CollectErrors(), jobgen.Observe(jobgen.Observer{
		WorkerLost: func(_ jobgen.RunInfo, worker string, err error) {
			t.Errorf("the outer process %s is lost: %v", worker, err)
		},
	})).Run(t.Context(), []string{"nested fine", "nested " + atDo + " exit 3", "nested " + atDo + " exit 0", "a"})
	for _, j := range checkJobs(t, err, 1, 2) {
		if _, ok := j.Err.(*jobgen.WorkerLostError); ok {
			t.Errorf("the outer process is lost: %v", j)
		}
		checkText(t, j, "job 3", "the worker process was lost: exit status")
	}
	if out[0] != "job 0,job 1,job 2,fine,job 4,job 5" || out[3] != "a" {
		t.Errorf("%q", out)
	}
}
