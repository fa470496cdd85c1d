// Gosrc is the example of the same name (github.com/jobgen/jobgen/examples/gosrc) on a cluster: it measures Go source
// code, all of the Go installation or a directory or file of one's own, with a NATS server inside this process and
// workers on this machine, or on a cluster that exists.
//
//	go run ./cluster/examples/gosrc                  a server and two workers, started for the occasion
//	go run ./cluster/examples/gosrc -chaos           … and one of the workers is killed when half of the work is done
//	go run ./cluster/examples/gosrc -url nats://host  servers and workers that are there
//
// The table at the end is the one of the main example, whatever happens to workers. The flags are
//
//	-top n       show n files of the table (default 10)
//	-all         show all files that could not be parsed, not only the first 5
//	-workers n   start n workers (default 2)
//	-chaos       kill a worker with half of the files measured; a third one takes its place
//	-url url     use servers that are there; their workers are this program with JOBGEN_WORKER=url,
//	             and see the same files
//
// The report goes to standard output, progress to standard error. The exit status is that of the main example: 0 also
// when files could not be parsed, 1 when a file or directory could not be read, 2 when the command line is wrong, and 130
// after Ctrl-C.
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

	"github.com/jobgen/jobgen/cluster"
	"github.com/jobgen/jobgen/examples/gosrc/survey"
	jobgen "github.com/jobgen/jobgen/runtime"
)

func main() {
	jobgen.Init() // a worker of the cluster is this program, too

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

type flags struct {
	top, workers int
	all, chaos   bool
	url          string
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
		if ctx.Err() != nil {
			return exitInterrupted
		}
		return max(status, exitFailed)
	}
	return status
}

func parse(args []string, stderr io.Writer) (f flags, place string, err error) {
	set := flag.NewFlagSet("gosrc", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.IntVar(&f.top, "top", 10, "show `n` files of the table")
	set.BoolVar(&f.all, "all", false, "show all files that could not be parsed")
	set.IntVar(&f.workers, "workers", 2, "start `n` workers")
	set.BoolVar(&f.chaos, "chaos", false, "kill a worker when half of the files are measured")
	set.StringVar(&f.url, "url", "", "use the servers at `url`")
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: gosrc [flags] [directory or file]")
		fmt.Fprintln(stderr, "Measures Go source files on a cluster; those of the Go installation unless told otherwise.")
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
	case f.workers < 1:
		err = fmt.Errorf("-workers %d: want at least 1", f.workers)
	case f.chaos && f.url != "":
		err = errors.New("-chaos kills a worker of this machine, and -url has none")
	}
	if err != nil {
		fmt.Fprintf(stderr, "gosrc: %v\n", err)
		set.Usage()
	}
	return f, set.Arg(0), err
}

// report measures the files at place and writes what it has found to out.
func report(ctx context.Context, f flags, place string, out io.Writer, stderr io.Writer) (status int, err error) {
	if place == "" {
		if place, err = survey.GoSource(ctx); err != nil {
			return exitFailed, err
		}
	}
	src, err := survey.List(place)
	if err != nil {
		return exitFailed, err
	}
	if src.Empty() {
		return exitFailed, fmt.Errorf("%s: no .go files", place)
	}
	c, err := connect(ctx, f)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	opts := []jobgen.Option{jobgen.On(c)}
	if f.chaos {
		opts = append(opts, jobgen.Observe(chaos(c, stderr)))
	}
	s, err := survey.Measure(ctx, src, opts...)
	if err != nil {
		return exitFailed, err
	}
	s.Print(out, f.top, f.all)
	switch {
	case s.Stopped() != nil:
		return exitInterrupted, nil
	case s.Trouble():
		return exitFailed, nil
	}
	return exitOK, nil
}

// connect uses the cluster that is there, or makes one.
func connect(ctx context.Context, f flags) (*cluster.Cluster, error) {
	if f.url != "" {
		return cluster.Connect(ctx, f.url, cluster.Options{})
	}
	o := cluster.EmbeddedOptions{Workers: f.workers}
	if f.chaos {
		o.WorkerTimeout = chaosTimeout
	}
	return cluster.Embedded(ctx, o)
}
