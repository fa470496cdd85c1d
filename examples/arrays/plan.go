package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// plan is what the command line asks for.
type plan struct {
	n, length int // of the arrays
	seed      uint64
	workers   int
	processes bool
	ways      []way
}

const maxArrays = 10_000 // beyond, what surrounds an array takes more memory than is accounted for

func parse(args []string, stderr io.Writer) (p plan, err error) {
	set := flag.NewFlagSet("arrays", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.IntVar(&p.n, "n", 15, "make `n` arrays")
	set.IntVar(&p.length, "len", 10_000_000, "of `n` elements each")
	set.Uint64Var(&p.seed, "seed", 1, "the numbers depend on `u`")
	set.IntVar(&p.workers, "workers", 0, "run `n` jobs at a time; 0 means one per processor")
	set.BoolVar(&p.processes, "processes", false, "run the jobs in child processes")
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: arrays [flags] [plain] [copied] [born]")
		fmt.Fprintln(stderr, "Computes variances of large arrays, on the heap and in shared memory.")
		set.PrintDefaults()
	}
	if err := set.Parse(args); err != nil {
		return p, err
	}
	switch {
	case p.n < 1 || p.n > maxArrays:
		err = fmt.Errorf("-n %d: must be 1 to %d", p.n, maxArrays)
	case p.length < 1:
		err = fmt.Errorf("-len %d: must be at least 1", p.length)
	case p.workers < 0:
		err = fmt.Errorf("-workers %d: must not be negative", p.workers)
	default:
		p.ways, err = choose(set.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "arrays: %v\n", err)
		set.Usage()
	}
	return p, err
}

// choose returns the ways that are named, in the order of the list; all if none is.
func choose(names []string) (chosen []way, err error) {
	var known []string
	for _, w := range ways {
		known = append(known, w.name)
		if len(names) == 0 || slices.Contains(names, w.name) {
			chosen = append(chosen, w)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no way %q; the ways are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// here are the options of a run in this process, which notes where it was.
func (p plan) here(where *place) []jobgen.Option {
	started := jobgen.Observer{RunStarted: func(info jobgen.RunInfo) {
		where.workers, where.backend = max(where.workers, info.Workers), info.Backend
	}}
	return []jobgen.Option{jobgen.Workers(p.workers), jobgen.Observe(started)}
}

// options are those of a run that can be in other processes.
func (p plan) options(where *place) []jobgen.Option {
	opts := p.here(where)
	if p.processes {
		opts = append(opts, jobgen.Processes())
	}
	return opts
}

// enoughMemory returns an error if there is no memory for all arrays and one more. The heap knows no
// such error: Go ends a program that it has no memory for. So an arena is asked, which can refuse.
//
// It is given the memory, if it is there. So a virtual machine that has to fetch it first does that
// now, and not at the cost of the first way.
func (p plan) enoughMemory() error {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "rehearsal"})
	if err != nil {
		return err
	}
	_, err = sharedmem.Alloc[float64](arena, p.n, p.length)
	if err == nil {
		_, err = sharedmem.Alloc[float64](arena, p.length)
	}
	return errors.Join(err, arena.Close())
}

// advise adds to an error for want of memory what can be done.
func (p plan) advise(err error) error {
	var budget *sharedmem.BudgetError
	var shape *sharedmem.ShapeError
	if !errors.As(err, &budget) && !errors.As(err, &shape) {
		return err
	}
	return fmt.Errorf("%w\nTake fewer arrays than %d with -n, or shorter ones than %d with -len", err, p.n, p.length)
}
