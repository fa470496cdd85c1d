package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// The kinds of a job's error.
const (
	lost     = "lost"
	late     = "late"
	panicked = "panic"
	failed   = "error"
)

// describe names the kind of a job's error, and says in a line what is in it.
func describe(err error) (kind, reason string) {
	var timeout *jobgen.TimeoutError
	var death *jobgen.WorkerLostError
	var panic *jobgen.PanicError
	switch {
	case errors.As(err, &timeout): // before the death, which is in it
		return late, firstLine(timeout.Error())
	case errors.As(err, &death):
		return lost, lastWords(death)
	case errors.As(err, &panic):
		return panicked, firstLine(fmt.Sprint(panic.Value))
	}
	return failed, firstLine(err.Error())
}

// lastWords is why Go ended the process, or how it ended if Go did not end it.
func lastWords(death *jobgen.WorkerLostError) string {
	for line := range strings.Lines(death.Stderr) {
		if strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "panic: ") {
			return firstLine(line)
		}
	}
	return firstLine(death.Reason)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

const columns = 80

// printRow prints a row of the table, shortened to the width of a terminal.
func printRow(w io.Writer, cells ...string) {
	row := []rune(strings.TrimRight(fmt.Sprintf("%s  %-27s  %s", cells[0], cells[1], cells[2]), " "))
	if len(row) > columns {
		row = append(row[:columns-1], '…')
	}
	fmt.Fprintln(w, string(row))
}

// plural is n with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ses", n, noun)
}
