package jobgen_test

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// playRole is what a test starts this binary for, if it does.
var playRole = func() (status int, ok bool) { return 0, false }

func TestMain(m *testing.M) {
	if status, ok := playRole(); ok {
		os.Exit(status)
	}
	jobgen.Init()
	for _, e := range os.Environ() { // what a developer has set would move the tests elsewhere
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "JOBGEN_") && os.Getenv("TEST_PROCESS") == "" {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}
