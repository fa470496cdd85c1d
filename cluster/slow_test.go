package cluster_test

import (
	"os"
	"testing"
)

// slow skips a test, or a part of one, that takes long.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("JOBGEN_SLOW_TESTS") == "" {
		t.Skip("it takes long; JOBGEN_SLOW_TESTS=1 runs it")
	}
}
