package cluster_test

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestMain(m *testing.M) {
	jobgen.Init()
	for _, e := range os.Environ() { // what a developer has set would move the tests elsewhere
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "JOBGEN_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}
