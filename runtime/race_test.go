//go:build race

package jobgen_test

const raceEnabled = true
