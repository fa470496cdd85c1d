package main

import (
	"os"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Processes are this program once more, and Init makes workers of them.
func TestMain(m *testing.M) {
	servePlugin()
	jobgen.Init()
	os.Exit(m.Run())
}
