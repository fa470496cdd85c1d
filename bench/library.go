package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"
)

// library is a way to run jobs at the same time: jobgen, a peer, or a loop written by hand.
type library struct {
	name   string
	module string // "" for what is written by hand
	call   string // what of it is measured
	hand   bool   // no library: a bound for what one can do, or the lack of it

	// What the library itself gives; the rest the adapter adds by hand, or it is missing.
	order, errors, panics, cancel string

	// mapAll runs try on every input and returns the results in the order of the inputs.
	mapAll func(ctx context.Context, inputs []int) ([]uint64, error)

	fails bool // mapAll returns the error of a job
	stops bool // mapAll ends soon after ctx does, and soon after a job has failed
}

const (
	own    = "yes"
	byHand = "by hand"
	none   = "no"
)

// libraries are all that take part, in the order of the tables' columns. Pools that are meant to be
// kept (pond, ants) are made before the clock starts.
func libraries() []*library {
	return []*library{
		{name: "jobgen", module: "github.com/jobgen/jobgen", call: "jobgen.Map",
			order: own, errors: own, panics: own, cancel: own, mapAll: jobgenMap, fails: true, stops: true},
		{name: "conc Map", module: "github.com/sourcegraph/conc", call: "iter.Map",
			order: own, errors: none, panics: own, cancel: none, mapAll: concMap},
		{name: "conc MapErr", module: "github.com/sourcegraph/conc", call: "iter.MapErr",
			order: own, errors: own, panics: own, cancel: none, mapAll: concMapErr, fails: true},
		{name: "conc pool", module: "github.com/sourcegraph/conc", call: "pool.ResultContextPool",
			order: byHand, errors: own, panics: own, cancel: byHand, mapAll: concPool, fails: true, stops: true},
		{name: "pond", module: "github.com/alitto/pond/v2", call: "ResultPool, group",
			order: own, errors: own, panics: own, cancel: own, mapAll: pondMap, fails: true, stops: true},
		{name: "ants", module: "github.com/panjf2000/ants/v2", call: "Pool.Submit, WaitGroup",
			order: byHand, errors: byHand, panics: "logged", cancel: none, mapAll: antsMap, fails: true},
		{name: "errgroup", module: "golang.org/x/sync", call: "Group.SetLimit, Go",
			order: byHand, errors: own, panics: none, cancel: byHand, mapAll: errgroupMap, fails: true, stops: true},
		{name: "lo", module: "github.com/samber/lo", call: "parallel.Map",
			order: own, errors: none, panics: none, cancel: none, mapAll: loMap},
		{name: "workerpool", module: "github.com/gammazero/workerpool", call: "Do, StopWait",
			order: byHand, errors: byHand, panics: none, cancel: none, mapAll: workerpoolMap, fails: true},
		{name: "mr", module: "github.com/zeromicro/go-zero", call: "mr.MapReduce",
			order: byHand, errors: own, panics: own, cancel: own, mapAll: mrMap, fails: true, stops: true},
		{name: "index", hand: true, call: "goroutines that share an atomic index",
			order: byHand, errors: byHand, panics: none, cancel: byHand, mapAll: indexMap, fails: true, stops: true},
		{name: "halves", hand: true, call: "a goroutine for each equal part of the inputs",
			order: byHand, errors: byHand, panics: none, cancel: none, mapAll: halvesMap, fails: true},
		{name: "serial", hand: true, call: "a loop",
			order: own, errors: own, panics: own, cancel: byHand, mapAll: serialMap, fails: true},
	}
}

// workers is how many jobs run at a time, in all libraries that can be told.
func workers() int { return runtime.GOMAXPROCS(0) }

// participants is a table of who takes part and what is whose.
func participants() *table {
	t := &table{
		title: "Who takes part",
		head:  []string{"column", "version", "call", "order", "errors", "panics", "cancel"},
		notes: []string{
			"yes: the library does it. by hand: a few lines around the call do it, and are measured. no: left out, to the library's advantage.",
		},
	}
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			versions[d.Path] = d.Version
		}
	}
	for _, l := range libraries() {
		v := versions[l.module]
		switch {
		case l.module == "":
			v = "by hand"
		case v == "" || v == "(devel)" || strings.HasPrefix(v, "v0.0.0"):
			v = "this tree"
		}
		t.add(l.name, v, l.call, l.order, l.errors, l.panics, l.cancel)
	}
	return t
}
