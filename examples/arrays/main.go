// Arrays shows what it costs to have large arrays where other processes can use them. It makes arrays
// of random numbers and computes the variance of each, in three ways:
//
//	plain    the arrays are ordinary slices on the heap
//	copied   each is made on the heap and copied into an arena of shared memory
//	born     the arrays are allocated in the arena and filled there, so nothing is copied
//
// Name some of them to leave out the others:
//
//	go run ./examples/arrays                  all three: 15 arrays of 10,000,000 float64
//	go run ./examples/arrays -n 4 plain born  two of them, with 4 arrays
//	go run ./examples/arrays -processes       the jobs run in child processes
//
// For each way it prints how long it took to make the arrays, to copy them and to run the jobs, how
// many bytes were copied, and how much memory was held. Last it says whether all ways had the same
// results, bit for bit. The flags are
//
//	-n n         make n arrays (default 15)
//	-len n       of n elements each (default 10_000_000)
//	-seed u      the numbers depend on u (default 1)
//	-workers n   jobs at a time (default 0: one per processor)
//	-processes   run the jobs in child processes; JOBGEN_BACKEND=processes:4 does it in 4
//
// It needs memory for one array more than it makes: 1.3 GB, unless told otherwise. To be sure of
// that it takes as much and gives it back before it begins, which is a wait of some seconds where the
// machine is a virtual one that has not used the memory before. With -processes, plain takes more: up to a dozen
// arrays for each worker, on their way to it and there.
//
// The exit status is 0 if all is well, 1 if there is not enough memory or the results differ, 2 when
// the command line is wrong, and 130 after Ctrl-C.
//
// # What it shows
//
// The worker [Variance] has slices for input; [SharedVariance] and [SharedFill] have the handles of
// arrays of package sharedmem. The jobs of SharedFill write into memory that they were given, so that no
// result has to be brought back. The ways are in ways.go, one function each.
//
// To jobs on goroutines of this process all three ways are equal. With -processes they are not: what is
// plain is sent through pipes, every number of it, while of the others only handles are sent, and the jobs
// work on the same memory. The time to start the processes, some hundredths of a second, is part of run, and
// of make where the arrays are born.
//
// Slices on the heap are filled on goroutines always: another process would fill a copy. So [Fill] is
// no worker; it is run with jobgen.Map, which no setting moves to another process. Where arenas are on the
// heap, too, as under the race detector, -processes is for plain only.
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

	jobgen "github.com/jobgen/jobgen/runtime"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

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
	err = measure(ctx, p, out)
	if err = errors.Join(err, out.Flush()); err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "arrays: stopped early: %v\n", context.Cause(ctx))
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "arrays: %v\n", err)
	return exitFailed
}

// measure goes the chosen ways one after the other and reports them.
func measure(ctx context.Context, p plan, out *bufio.Writer) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p.printTitle(out)
	_ = out.Flush() // what follows takes a while; an error comes back later
	if err := p.enoughMemory(); err != nil {
		return p.advise(err)
	}
	printHead(out)
	var rows []*row
	for _, w := range p.ways {
		letGo()
		r := &row{way: w.name, heapBefore: heapInUse()}
		if err := w.measure(ctx, p, r); err != nil {
			return p.advise(err)
		}
		r.print(out)
		_ = out.Flush()
		rows = append(rows, r)
	}
	if err := printResults(out, rows); err != nil {
		return err
	}
	p.printNotes(out, rows)
	return nil
}
