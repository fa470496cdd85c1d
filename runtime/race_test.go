//go:build race && unix

package jobgen_test

const raceEnabled = true
