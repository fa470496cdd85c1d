// Crash shows that jobs which die take nothing else with them. It runs 200 jobs in child processes. Most count
// primes. A few of them, spread among the others, do what ends a Go program: they exit, recurse without
// end, write to a map from two goroutines, leak memory, never return. The run goes on, delivers all
// other results, and says of each culprit what became of it.
//
//	go run ./examples/crash 2>/dev/null         200 jobs, a process for each processor
//	go run ./examples/crash -n 5000 -workers 4  5,000 jobs in 4 processes
//
// What a dying process writes, mostly the stacks of its goroutines, comes out on standard error, each line
// with the process and the job that wrote it; 2>/dev/null hides that. The report goes to standard
// output: a line for each culprit, and whether all others have delivered the right result, going by a plain
// loop. A line begins with the kind of the job's error:
//
//	lost   the process died: a *jobgen.WorkerLostError
//	late   the process was killed because the job took too long: a *jobgen.TimeoutError
//	panic  the job panicked, which its process survives: a *jobgen.PanicError
//	error  the job returned an error
//
// The flags are
//
//	-n n         run n jobs (default 200)
//	-workers n   in n processes (default 0: one per processor)
//	-timeout d   kill a job half a second after it has taken d (default 2s)
//
// The exit status is 0 if all went as it should, 1 if not, 2 when the command line is wrong, and 130
// after Ctrl-C.
//
// # What it shows of jobgen
//
// The worker is [Primes], an ordinary function. What makes the run survive its jobs are the options in
// run.go: jobgen.Processes runs jobs in child processes, jobgen.JobTimeout kills those that hang,
// jobgen.MemoryLimit has those that leak die before the machine is short of memory, and jobgen.CollectErrors
// goes on after the first failure. The culprits are in deeds.go.
//
// The leak is left out where there is no memory limit: on other systems than Linux, and under the race
// detector.
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
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

func main() {
	jobgen.Init() // in a child process, this is where its jobs run: it does not return

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

// plan is what the command line asks for.
type plan struct {
	n, workers int
	timeout    time.Duration
}

// run is the program, apart from what belongs to the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	out := bufio.NewWriter(stdout)
	err = p.demonstrate(ctx, out)
	if err = errors.Join(err, out.Flush()); err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "crash: stopped early: %v\n", context.Cause(ctx))
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "crash: %v\n", err)
	return exitFailed
}

func parse(args []string, stderr io.Writer) (p plan, err error) {
	set := flag.NewFlagSet("crash", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.IntVar(&p.n, "n", 200, "run `n` jobs")
	set.IntVar(&p.workers, "workers", 0, "in `n` processes; 0 means one per processor")
	set.DurationVar(&p.timeout, "timeout", 2*time.Second, "kill a job half a second after it has taken `d`")
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: crash [flags]")
		fmt.Fprintln(stderr, "Runs jobs in child processes, some of which die, and delivers the results of the others.")
		set.PrintDefaults()
	}
	if err := set.Parse(args); err != nil {
		return p, err
	}
	switch {
	case set.NArg() > 0:
		err = fmt.Errorf("%q: there are no arguments beside the flags", set.Arg(0))
	case p.n < len(deeds):
		err = fmt.Errorf("-n %d: must be at least %d, one for each culprit", p.n, len(deeds))
	case p.workers < 0:
		err = fmt.Errorf("-workers %d: must not be negative", p.workers)
	case p.timeout <= 0:
		err = fmt.Errorf("-timeout %v: must be more than 0, or the job that never returns is waited for", p.timeout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "crash: %v\n", err)
		set.Usage()
	}
	return p, err
}
