// Gosrc measures Go source code with jobgen: all of the Go installation that runs it, or a
// directory or file of one's own.
//
//	go run ./examples/gosrc                  the Go installation
//	go run ./examples/gosrc -compare .       a directory, and how much faster than a plain loop
//
// It parses every .go file below the directory, test data included, and shows the files with the
// most complex functions, the files that could not be parsed, and how fast it was. The flags are
//
//	-top n       show n files of the table (default 10)
//	-all         show all files that could not be parsed, not only the first 5
//	-workers n   files at a time (default 0: one per processor)
//	-compare     do it in a plain loop, too, and compare times and results
//	-debug       one file after the other on the main goroutine, for a debugger
//
// The report goes to standard output, progress to standard error. Ctrl-C ends the run early, with a
// report of what has been done.
//
// The exit status is 0 also when files could not be parsed: that is a finding, and the Go
// distribution contains such files on purpose. It is 1 when a file or directory could not be read,
// 2 when the command line is wrong, and 130 after Ctrl-C.
//
// # What it shows of jobgen
//
// The job is the worker [github.com/jobgen/jobgen/examples/gosrc/metrics.Metrics]: a struct with a
// method Do, from which jobgen generates the runner that package survey uses. The options used there
// collect errors instead of stopping at the first one, show progress, and set the number of workers.
// The environment changes a run of the built program without its flags: try JOBGEN_WORKERS=1 or
// JOBGEN_DEBUG=1.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/jobgen/jobgen/examples/gosrc/survey"
	jobgen "github.com/jobgen/jobgen/runtime"
)

func main() {
	jobgen.Init() // lets this program serve as its own worker process

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // as a shell reports a program that Ctrl-C has ended
)

type flags struct {
	top     int
	all     bool
	workers int
	compare bool
	debug   bool
}

// run is the program, apart from what belongs to the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, place, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	out := bufio.NewWriter(stdout)
	status, err := report(ctx, f, place, out, stderr)
	if err = errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintf(stderr, "gosrc: %v\n", err)
		return max(status, exitFailed)
	}
	return status
}

func parse(args []string, stderr io.Writer) (f flags, place string, err error) {
	set := flag.NewFlagSet("gosrc", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.IntVar(&f.top, "top", 10, "show `n` files of the table")
	set.BoolVar(&f.all, "all", false, "show all files that could not be parsed")
	set.IntVar(&f.workers, "workers", 0, "measure `n` files at a time; 0 means one per processor")
	set.BoolVar(&f.compare, "compare", false, "do it in a plain loop, too, and compare")
	set.BoolVar(&f.debug, "debug", false, "one file after the other on the main goroutine")
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: gosrc [flags] [directory or file]")
		fmt.Fprintln(stderr, "Measures Go source files; those of the Go installation unless told otherwise.")
		set.PrintDefaults()
	}
	if err := set.Parse(args); err != nil {
		return f, "", err
	}
	switch {
	case set.NArg() > 1:
		err = errors.New("more than one directory or file")
	case f.top < 0:
		err = fmt.Errorf("-top %d: must not be negative", f.top)
	case f.workers < 0:
		err = fmt.Errorf("-workers %d: must not be negative", f.workers)
	}
	if err != nil {
		fmt.Fprintf(stderr, "gosrc: %v\n", err)
		set.Usage()
	}
	return f, set.Arg(0), err
}

// report measures the files at place and writes what it has found to out.
func report(ctx context.Context, f flags, place string, out *bufio.Writer, stderr io.Writer) (status int, err error) {
	if place == "" {
		if place, err = survey.GoSource(ctx); err != nil {
			return failure(ctx), err
		}
	}
	src, err := survey.List(place)
	if err != nil {
		return exitFailed, err
	}
	if src.Empty() {
		return exitFailed, fmt.Errorf("%s: no .go files", place)
	}
	if f.compare {
		// So that both passes find the files in memory.
		if err := survey.ReadAll(ctx, src); err != nil {
			return failure(ctx), err
		}
	}
	opts := []jobgen.Option{jobgen.Workers(f.workers)}
	if f.debug {
		opts = append(opts, jobgen.Debug())
	}
	s, err := survey.Measure(ctx, src, opts...)
	if err != nil {
		return exitFailed, err
	}
	s.Print(out, f.top, f.all)
	if s.Stopped() != nil {
		return exitInterrupted, nil
	}
	if f.compare {
		_ = out.Flush() // the comparison takes longer than the survey; an error comes back later
		if err := survey.Compare(ctx, s, opts, out, stderr); err != nil {
			return failure(ctx), err
		}
	}
	if s.Trouble() {
		return exitFailed, nil
	}
	return exitOK, nil
}

// failure is the exit status of a run that has returned an error.
func failure(ctx context.Context) int {
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitFailed
}
