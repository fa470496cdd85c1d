//go:build unix

package jobgen_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A crash in C is a job's like any other. The program is built here, so that the module is free of cgo.
func TestDeathInC(t *testing.T) {
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	env, err := exec.Command(goTool, "env", "CGO_ENABLED", "CC").Output()
	enabled, cc, _ := strings.Cut(strings.TrimSpace(string(env)), "\n")
	if err != nil || enabled != "1" {
		t.Skipf("cgo is off: CGO_ENABLED=%s", enabled)
	}
	if _, err := exec.LookPath(strings.Fields(cc + " cc")[0]); err != nil {
		t.Skip("there is no C compiler: ", err)
	}
	program := filepath.Join(t.TempDir(), "cgocrash")
	if out, err := exec.Command(goTool, "build", "-o", program, "./testdata/cgocrash").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program).Output()
	const want = `segfault: exit status 2
segfault in a thread of C: signal: segmentation fault
abort: exit status 2
exit: exit status 5
["a" "" "b" "" "c" "" "d" "" "e"]
`
	if err != nil || strings.ReplaceAll(string(out), " (core dumped)", "") != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}
