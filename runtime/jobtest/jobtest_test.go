package jobtest

import (
	"testing"

	"go.uber.org/goleak"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestMain(m *testing.M) {
	jobgen.Init()
	goleak.VerifyTestMain(m)
}

func TestGoroutines(t *testing.T) { Exercise(t, Place{}) }

func TestDebug(t *testing.T) {
	Exercise(t, Place{Options: []jobgen.Option{jobgen.Debug()}, Serial: true, Bare: true})
}

func TestLoopback(t *testing.T) {
	Exercise(t, Place{Options: []jobgen.Option{jobgen.On(&Loopback{})}})
}

// TestLossyLoopback has workers die between jobs.
func TestLossyLoopback(t *testing.T) {
	Exercise(t, Place{Options: []jobgen.Option{jobgen.On(&Loopback{Loss: 0.2, Seed: 1})}})
}

// TestGrowingLoopback has workers join runs that have begun.
func TestGrowingLoopback(t *testing.T) {
	Exercise(t, Place{Options: []jobgen.Option{jobgen.On(&Loopback{Slots: 4, Late: true, Loss: 0.1, Seed: 1})}})
}

func TestProcesses(t *testing.T) {
	Exercise(t, Place{Options: []jobgen.Option{jobgen.Processes()}})
}
