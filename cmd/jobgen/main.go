// Jobgen writes typed runners for workers.
//
// A worker is a type with a method Do, or a function, that is marked
//
//	//jobgen:worker
//
// in its doc comment. For the worker Variance, jobgen writes the type VarianceRunner and its constructor
// NewVarianceRunner into jobgen_gen.go beside it. It is meant to be run by go generate:
//
//	//go:generate go tool jobgen
//
// # Usage
//
//	jobgen [-check] [-diff] [-n] [-json] [-tags list] [-C dir] [packages]
//	jobgen explain [-tags list] [-C dir] [worker | error type | code]...
//	jobgen version
//
// Packages are named as for go build; without any, it is the one in the current directory.
//
// The flags are:
//
//	-check      write nothing; say which files are stale, and why
//	-diff       write nothing; print the changes as a unified diff
//	-n          write nothing; print the names of the files that would be written or removed
//	-json       print the findings as JSON on standard output
//	-tags list  build tags, as for go build
//	-C dir      work in dir
//
// The exit code is 0 if all is well, 1 if there were errors or, with -check, stale files, and 2 if the
// command was not understood.
//
// # Directives
//
//	//jobgen:worker                    a type with a method Do, or a function, is a worker
//	//jobgen:worker remote             it is an error if the worker cannot leave its process
//	//jobgen:worker bind=axis,order    these parameters of a function are configuration
//	//jobgen:instantiate Sq[float64]   this instance of a generic worker shall run everywhere
//	//jobgen:error                     errors of this type arrive from other processes as what they are
//
// A directive that is misspelled or stands where it means nothing is an error.
//
// # Workers
//
// Do may have a leading context.Context and a final error. Several parameters become the fields of a
// generated struct VarianceJob, several results those of VarianceResult. A worker without parameters is given
// the job's number to count. MapJob, if there is one, turns what a job is described by into Do's parameters,
// on the worker. Setup runs once on each concurrent worker before its first job, Close after its last one.
//
// Every concurrent worker has its own copy of the value. Its exported fields, the inputs and the
// results travel to other processes. Their codec is part of the output. Fields are encoded in their
// order, numeric slices as blocks of memory, and types that have AppendBinary or MarshalBinary and
// UnmarshalBinary, MarshalMsg and UnmarshalMsg, or MarshalVT and UnmarshalVT by these; other packages'
// structs with unexported fields also by GobEncode and GobDecode, or AppendText or MarshalText and
// UnmarshalText.
//
// A worker whose types cannot travel (functions, channels, interfaces, pointer cycles, other packages' structs with
// unexported fields and none of those methods) runs in its own process only; jobgen explain says why. A
// generic worker travels in the instances that //jobgen:instantiate names.
//
// What a job writes to the elements of a slice or map that it is given, or of a configured one, the caller sees on goroutines and
// not from other processes. jobgen explain names the place where a worker does so without returning what it wrote to. It
// looks at the worker's own function and does not guess what others do.
//
// # Errors
//
// An error that a job returns in another process, or panics with, arrives as a *jobgen.RemoteError with its text, and
// with the errors that it wraps. One of a type that is marked //jobgen:error arrives as itself, with all its fields,
// wherever in a chain it stands, so that errors.As finds it. Values and pointers stay apart. Fields of type error
// and []error may hold any error; all other fields are encoded as those of workers are, the unexported ones too, and one
// that cannot be is an error. A type with methods of its own for that, such as MarshalBinary and UnmarshalBinary, is
// left to them. The package need not have workers.
//
// # Files
//
// The output for package foo is jobgen_gen.go; for its test files it is jobgen_gen_test.go, and for
// package foo_test jobgen_gen_external_test.go. Workers in files with a build constraint, be it a
// //go:build line, import "C" or a name like foo_linux.go, have an output of their own with the same constraint.
//
// A file is written only if its content changes, and never over one that jobgen did not write. An output
// without workers and error types is removed, unless its constraint keeps it out of the current build. Nothing is written
// for a package with errors, and never anything that does not compile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1
	exitUsage = 2
)

const usage = `usage: jobgen [-check] [-diff] [-n] [-json] [-tags list] [-C dir] [packages]
       jobgen explain [-tags list] [-C dir] [worker | error type | code]...
       jobgen version
`

// help is what usage leaves out.
const help = usage + `
Packages are named as for go build; without any, it is the one in the current directory.

  -check      write nothing; say which files are stale, and why
  -diff       write nothing; print the changes as a unified diff
  -n          write nothing; print the names of the files that would be written or removed
  -json       print the findings as JSON on standard output
  -tags list  build tags, as for go build
  -C dir      work in dir

explain says of each worker where it can run, and why not elsewhere, or what a code such as JG011 means.
All about it: go doc github.com/jobgen/jobgen/cmd/jobgen
`

// options are the flags of the command.
type options struct {
	check, diff, dry, json bool
	tags, dir              string
}

// cannotLoad is why packages could not be loaded. A go command that cannot be started in the directory of -C reads
// as if the go command itself were missing.
func (o options) cannotLoad(err error) model.Diagnostic {
	if o.dir != "" {
		switch info, missing := os.Stat(o.dir); {
		case errors.Is(missing, fs.ErrNotExist):
			return model.Diagnostic{Code: model.CannotLoad, Message: "the directory " + o.dir + " does not exist", Remedy: "check the argument of -C"}
		case missing == nil && !info.IsDir():
			return model.Diagnostic{Code: model.CannotLoad, Message: o.dir + " is not a directory", Remedy: "check the argument of -C"}
		}
	}
	return model.Diagnostic{Code: model.CannotLoad, Message: err.Error()}
}

// run is the command. When ctx ends while packages are being loaded or generated for, it writes nothing.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "version":
			return version(args[1:], stdout, stderr)
		case "explain":
			return explainCommand(ctx, args[1:], stdout, stderr)
		case "help":
			fmt.Fprint(stdout, help)
			return exitOK
		}
	}
	var o options
	flags := newFlags("jobgen", stderr, &o)
	flags.BoolVar(&o.check, "check", false, "write nothing; say which files are stale, and why")
	flags.BoolVar(&o.diff, "diff", false, "write nothing; print the changes as a unified diff")
	flags.BoolVar(&o.dry, "n", false, "write nothing; print the names of the files that would be written or removed")
	flags.BoolVar(&o.json, "json", false, "print the findings as JSON")
	if code, done := parseFlags(flags, args); done {
		return code
	}
	patterns := flags.Args()
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	for _, p := range patterns {
		if isGoFile(p) {
			fmt.Fprintf(stderr, "jobgen: %s is a file; name packages, such as . or ./...\n", p)
			return exitUsage
		}
	}
	return generateCommand(ctx, o, patterns, stdout, stderr)
}

func isGoFile(p string) bool {
	if len(p) < 4 || p[len(p)-3:] != ".go" {
		return false
	}
	info, err := os.Stat(p)
	return err != nil || !info.IsDir()
}

func newFlags(name string, stderr io.Writer, o *options) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.tags, "tags", "", "build tags, as for go build")
	flags.StringVar(&o.dir, "C", "", "work in this directory")
	return flags
}

// parseFlags says with which code to exit if the flags settle that already.
func parseFlags(flags *flag.FlagSet, args []string) (code int, done bool) {
	flags.Usage = func() {} // which would be called for help and for mistakes alike
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(flags.Output(), help)
		return exitOK, true
	case err != nil:
		fmt.Fprint(flags.Output(), usage)
		return exitUsage, true
	}
	return 0, false
}

// version prints the module's version and that of the contract with the runtime.
func version(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	v := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
		for _, d := range info.Deps {
			if d.Path == "github.com/jobgen/jobgen" {
				v = d.Version // run by go tool of another module
			}
		}
	}
	fmt.Fprintf(stdout, "jobgen %s, contract %d with %s\n", v, model.ABI, model.Runtime)
	return exitOK
}
