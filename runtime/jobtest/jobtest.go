// Package jobtest is the suite that every place where jobs run has to pass: goroutines, debug mode,
// and each [jobgen.Backend]. It runs jobs that succeed, fail, panic, end their goroutine, wait and
// are interrupted, in all ways in which jobs can be run, and compares what comes out with what a
// serial loop gives.
//
// A backend's test calls [Exercise]:
//
//	func TestMain(m *testing.M) { jobgen.Init(); os.Exit(m.Run()) }
//
//	func TestSuite(t *testing.T) {
//		jobtest.Exercise(t, jobtest.Place{Options: []jobgen.Option{jobgen.On(backend)}})
//	}
package jobtest

import (
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Place says where jobs run.
type Place struct {
	// Options choose the place. They are given to each run before the suite's own.
	Options []jobgen.Option

	// Serial says that jobs run one after the other, whatever the number of workers.
	Serial bool

	// Spread says that a run with n workers has n jobs at a time, and more than n workers may share them.
	Spread bool

	// Bare says that panics in jobs are not caught, as in debug mode. The suite then leaves out
	// jobs that panic.
	Bare bool

	// Mortal says that workers may be lost during a run, and others take their places.
	Mortal bool
}

// Exercise runs the whole suite on a place.
func Exercise(t *testing.T, p Place) {
	for _, s := range []struct {
		name string
		run  func(*testing.T, Place)
	}{
		{"Random", random},
		{"Small", small},
		{"FirstFailure", firstFailure},
		{"FailurePreemptsLaterJobs", failurePreempts},
		{"Collect", collect},
		{"Panics", panics},
		{"Goexit", goexits},
		{"Retry", retries},
		{"Timeout", timeouts},
		{"Cancel", cancels},
		{"CancelledBefore", cancelledBefore},
		{"CancelAfterTheLast", cancelAfterTheLast},
		{"SetupOncePerWorker", setupOnce},
		{"SetupFails", setupFails},
		{"CloseFails", closeFails},
		{"StreamBreak", streamBreak},
		{"StreamWindow", streamWindow},
		{"StreamInputPanics", streamInputPanics},
		{"StreamTwice", streamTwice},
		{"Unordered", unordered},
		{"Batch", batches},
		{"BatchStops", batchStops},
		{"SeedAndIndexOnly", seeds},
		{"Observer", observers},
		{"Many", many},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, p) })
	}
}
