// Variance shows what jobgen can do, one feature after the other, on the example of computing
// variances.
//
//	go run ./examples/variance               all sections
//	go run ./examples/variance batch nan     some of them, by name
//	go run ./examples/variance -list         their names
//
// Each section is a file that can be read on its own: it declares a worker, runs it, and prints what
// comes out. The runners (NewVarianceRunner and so on) are in jobgen_gen.go, which go generate makes
// of the functions and types that are marked //jobgen:worker.
//
// The output is always the same, whatever the number of workers; progress bars go to standard error.
// Try JOBGEN_DEBUG=1, with which every job runs on the main goroutine.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	jobgen "github.com/jobgen/jobgen/runtime"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

func main() {
	jobgen.Init() // lets this program serve as its own worker process

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// section is one feature: a piece of code, and what it does.
type section struct {
	name, title string // of the file, and in words
	code        string // what the reader would write
	show        func(ctx context.Context, out, stderr io.Writer) error
}

var sections = []section{
	{"struct", "A worker struct", structCode, showStruct},
	{"function", "A plain function", functionCode, showFunction},
	{"bind", "Bound parameters: variance along an axis", bindCode, showBind},
	{"lengths", "Results of varying length", lengthsCode, showLengths},
	{"batch", "Jobs submitted one by one", batchCode, showBatch},
	{"progress", "Nested progress", progressCode, showProgress},
	{"nan", "Errors suppressed: NaN", nanCode, showNaN},
	{"errors", "Errors collected and re-raised", errorsCode, showErrors},
	{"debug", "Debug mode", debugCode, showDebug},
}

// run is the program, apart from what belongs to the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	if slices.Equal(args, []string{"-list"}) {
		fmt.Fprintln(stdout, strings.Join(names, "\n"))
		return 0
	}
	for _, arg := range args {
		if !slices.Contains(names, arg) {
			fmt.Fprintf(stderr, "usage: variance [-list] [section]...\nThe sections are %s.\n", strings.Join(names, ", "))
			return 2
		}
	}
	for i, s := range sections {
		if len(args) > 0 && !slices.Contains(args, s.name) {
			continue
		}
		fmt.Fprintf(stdout, "%d. %s (%s.go)\n\n", i+1, s.title, s.name)
		for line := range strings.Lines(strings.TrimSpace(s.code)) {
			line = strings.ReplaceAll("  | "+line, "\t", "    ")
			fmt.Fprintln(stdout, strings.TrimRight(line, " \n"))
		}
		fmt.Fprintln(stdout)
		if err := s.show(ctx, stdout, stderr); err != nil {
			fmt.Fprintf(stderr, "variance: section %s: %v\n", s.name, err)
			return 1
		}
		fmt.Fprintln(stdout)
	}
	return 0
}
