//go:build unix

package jobgen_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// When the run ends, a job that does not is killed.
func TestCancelKills(t *testing.T) {
	for _, job := range []string{"wait", atDo + " hang", atDo + " hang on", atDo + " SIGSTOP", atReadIn + " hang", atAppendOut + " hang"} {
		t.Run(job, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			out, err := mortals(mortal{}, jobgen.Workers(1), jobgen.Observe(jobgen.Observer{
				JobDone: func(jobgen.RunInfo, jobgen.JobInfo) {
					time.AfterFunc(20*time.Millisecond, func() { cancel(errHome) })
				},
			})).Run(ctx, []string{"a", job, "b"})
			var run *jobgen.RunError
			if !errors.As(err, &run) || run.Cause != errHome || len(run.Jobs) > 0 || !run.HasResult(0) || run.HasResult(1) || out[0] != "a" || run.NotRun != 1 {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}

// A Setup that does not end is killed, too.
func TestCancelKillsSetup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(300*time.Millisecond, func() { cancel(errHome) })
	_, err := mortals(mortal{In: "setup", As: "hang"}).Run(ctx, among("", 10))
	var run *jobgen.RunError
	if !errors.As(err, &run) || run.Cause != errHome || run.NotRun != 10 {
		t.Errorf("the error is %v", err)
	}
}

// A process that does not read what it is sent, of which more is on its way than a pipe holds, does not keep a
// run from ending.
func TestCancelWithLargeJobs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	in := []string{"a", strings.Repeat("x", 16<<20), "b"}
	_, err := mortals(mortal{}, jobgen.Workers(1), jobgen.Observe(jobgen.Observer{
		WorkerStarted: func(_ jobgen.RunInfo, worker string) {
			signalTo(worker, syscall.SIGSTOP)
			time.AfterFunc(200*time.Millisecond, func() { cancel(errHome) })
		},
	})).Run(ctx, in)
	var run *jobgen.RunError
	if !errors.As(err, &run) || run.Cause != errHome {
		t.Errorf("the error is %v", err)
	}
}

// program is this test's binary, started again in a role and in a process group of its own, like one that a
// shell has started.
type program struct {
	*exec.Cmd
	in    io.Writer
	lines *bufio.Scanner
	seen  []string // that it has written
}

func startProgram(t *testing.T, role string) *program {
	t.Helper()
	p := &program{Cmd: play(role)}
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.StdinPipe() // which the role watches, in case this test is gone first
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(time.Minute, func() { p.Process.Kill() })
	t.Cleanup(func() {
		stuck.Stop()
		in.Close()
		syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
		p.Wait()
	})
	p.in, p.lines = in, bufio.NewScanner(out)
	return p
}

// until reads what the program writes, until n lines have a word in them, and returns the numbers after it. It
// reads all if n is negative.
func (p *program) until(t *testing.T, word string, n int) []int {
	t.Helper()
	for n < 0 || len(p.numbers(word)) < n {
		if !p.lines.Scan() {
			if n >= 0 {
				t.Fatalf("%q is not there %d times:\n%s", word, n, strings.Join(p.seen, "\n"))
			}
			break
		}
		p.seen = append(p.seen, p.lines.Text())
	}
	return p.numbers(word)
}

// numbers returns the numbers after a word in what has been read.
func (p *program) numbers(word string) (all []int) {
	for _, line := range p.seen {
		if _, text, ok := strings.Cut(line, word+" "); ok {
			n := 0
			fmt.Sscan(text, &n)
			all = append(all, n)
		}
	}
	return all
}

func init() {
	roles["interrupted"] = func() int { return interrupted("tell", nil) }
	roles["impatient"] = func() int {
		return interrupted(atDo+" hang", func(jobgen.RunInfo, error) { select {} }) // only a second Ctrl-C ends it
	}
	roles["nested"] = func() int { return interrupted("nested tell", nil) }
}

// interrupted is a program that runs jobs which do not end, and takes Ctrl-C as examples do.
func interrupted(job string, runDone func(jobgen.RunInfo, error)) int {
	jobgen.Init()
	watchTest()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, func() {
		stop()
		fmt.Println("interrupted 1")
	})
	r := mortals(mortal{}, jobgen.Observe(jobgen.Observer{
		WorkerStarted: func(_ jobgen.RunInfo, worker string) { fmt.Println("started", pidOf(worker)) },
		JobDone:       func(_ jobgen.RunInfo, j jobgen.JobInfo) { fmt.Println("done", j.Index) },
		RunDone:       runDone,
	}))
	out, err := r.Run(ctx, []string{"a", "b", job, job, "c"})
	fmt.Printf("results %q\n", out)
	var run *jobgen.RunError
	if errors.As(err, &run) {
		fmt.Println("cause", run.Cause, len(run.Jobs), run.HasResult(0), run.HasResult(1), run.HasResult(2), run.HasResult(3))
	}
	return 7
}

// Ctrl-C, which a terminal sends to the whole process group: the jobs are told and can end as they like, the
// program gets the results that there are, and no process is left.
func TestCtrlC(t *testing.T) {
	p := startProgram(t, "interrupted")
	p.until(t, "done", 2)
	begun := p.until(t, "begun", 1)[0]
	pids := append(p.numbers("started"), begun)
	if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.until(t, "", -1)
	p.Wait()
	text := strings.Join(p.seen, "\n")
	if status := p.ProcessState.ExitCode(); status != 7 {
		t.Errorf("status %d", status)
	}
	for _, part := range []string{`results ["a" "b" "" "" `, "cause interrupt signal received 0 true true false false",
		fmt.Sprint("told ", begun)} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
	for _, pid := range pids {
		if !ends(pid) {
			t.Errorf("process %d lives on", pid)
		}
	}
}

// A second Ctrl-C ends the program whatever it is doing, and its processes with it.
func TestSecondCtrlC(t *testing.T) {
	p := startProgram(t, "impatient")
	pids := p.until(t, "started", 2)
	if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.until(t, "interrupted", 1)
	syscall.Kill(-p.Process.Pid, syscall.SIGINT)
	p.until(t, "", -1)
	p.Wait()
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it has ended with %v", p.ProcessState)
	}
	for _, pid := range pids {
		if !ends(pid) {
			t.Errorf("process %d lives on", pid)
		}
	}
}

// A parent that ends, for whatever reason, leaves no child, nor a child's child.
func TestDeadParentLeavesNoChild(t *testing.T) {
	for _, test := range []struct {
		role, word string
		children   int
		signal     syscall.Signal
	}{
		{"parent", "started", 2, syscall.SIGKILL},
		{"parent", "started", 2, syscall.SIGINT},
		{"parent", "started", 2, syscall.SIGTERM},
		{"parent", "started", 2, syscall.SIGHUP},
		{"nested", "begun", 1, syscall.SIGKILL},
	} {
		t.Run(fmt.Sprint(test.role, " ", test.signal), func(t *testing.T) {
			t.Parallel()
			p := startProgram(t, test.role)
			pids := p.until(t, test.word, test.children)
			if err := p.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			p.until(t, "", -1)
			p.Wait()
			for _, pid := range pids {
				if pid == 0 || !ends(pid) {
					t.Errorf("process %d lives on", pid)
				}
			}
		})
	}
}

// pidOf is that of a worker: "process-1 (pid 4711)".
func pidOf(worker string) (pid int) {
	_, text, _ := strings.Cut(worker, "(")
	fmt.Sscanf(text, "pid %d)", &pid)
	return pid
}

// slotOf is the number in a worker's name.
func slotOf(worker string) (n int) {
	fmt.Sscanf(worker, "process-%d", &n)
	return n
}

func kill(worker string) { signalTo(worker, syscall.SIGKILL) }

func signalTo(worker string, s syscall.Signal) {
	if pid := pidOf(worker); pid > 0 {
		syscall.Kill(pid, s)
	}
}

// ends reports whether a process ends soon.
func ends(pid int) bool {
	for deadline := time.Now().Add(20 * time.Second); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// A batch whose context ends leaves no process behind, though nobody calls Wait.
func TestBatchEndsItsProcesses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := mortals(mortal{}, jobgen.Workers(1)).Batch(ctx)
	text, err := b.Submit("pid").Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if !ends(pid) {
		t.Errorf("process %d is still there", pid)
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

// watchTest ends the program when the test that has started it is gone.
func watchTest() {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
}
