package jobgen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func init() {
	roles["greedy"] = func() int {
		jobgen.Init()
		fmt.Println("ready 1")
		fmt.Scanln() // until it is where its memory is limited
		watchTest()
		r := mortals(mortal{}, jobgen.CollectErrors())
		out, err := r.Run(context.Background(), []string{"a", "leak", "b", "c"})
		fmt.Printf("results %q\n", out)
		var run *jobgen.RunError
		var lost *jobgen.WorkerLostError
		if errors.As(err, &run) && errors.As(err, &lost) {
			fmt.Println("lost", len(run.Jobs), run.Jobs[0].Index, lost.Reason)
		}
		return 7
	}
}

// Where the kernel ends a worker because its control group has no more memory, the job's error says so.
func TestOutOfMemoryByTheKernel(t *testing.T) {
	group := limitedGroup(t, 256<<20)
	p := startProgram(t, "greedy")
	p.until(t, "ready", 1)
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), fmt.Append(nil, p.Process.Pid), 0); err != nil {
		t.Skip("no process can be put into a control group: ", err)
	}
	fmt.Fprintln(p.in)
	p.until(t, "", -1)
	p.Wait()
	text := strings.Join(p.seen, "\n")
	for _, part := range []string{`results ["a" "" "b" "c"]`, "lost 1 1 signal: killed, out of memory: the kernel has ended a process"} {
		if p.ProcessState.ExitCode() != 7 || !strings.Contains(text, part) {
			t.Errorf("%v; %q is not in:\n%s", p.ProcessState, part, text)
		}
	}
}

// limitedGroup makes a control group, of either version, whose processes have so many bytes of memory.
func limitedGroup(t *testing.T, bytes int) string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip("there are no control groups: ", err)
	}
	var why error
	for line := range strings.Lines(string(groups)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || f[1] != "" && f[1] != "memory" {
			continue
		}
		root, limits := "/sys/fs/cgroup", []string{"memory.max", "memory.swap.max"}
		if f[1] == "memory" {
			root, limits = "/sys/fs/cgroup/memory", []string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"}
		}
		var group string
		if group, why = os.MkdirTemp(filepath.Join(root, f[2]), "jobgen-test-"); why != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(group) })
		if why = os.WriteFile(filepath.Join(group, limits[0]), fmt.Append(nil, bytes), 0); why != nil {
			continue
		}
		swap := bytes // version 1 counts memory and swap together
		if f[1] == "" {
			swap = 0
		}
		_ = os.WriteFile(filepath.Join(group, limits[1]), fmt.Append(nil, swap), 0) // it is not there where there is no swap
		return group
	}
	t.Skip("no control group can be made here: ", why)
	return ""
}
