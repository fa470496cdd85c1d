// Bench compares jobgen with the libraries that do the same in one process, arrays of sharedmem with slices,
// generated codecs with other encodings, and child processes with Python's: the same work, on one machine, in one
// run. It prints tables for people to read.
//
//	go run ./bench                 everything, in some minutes
//	go run ./bench -quick          a smoke test of a few seconds; its figures mean nothing
//	go run ./bench -run '^maps/'   the rows whose section/name matches
//	go run ./bench -rounds 15 -patience 10m   on a noisy machine
//	go run ./bench -markdown       for RESULTS.md
//
// In each round every library does each row once, in an order that rotates, and a ratio is the median
// of the ratios of the rounds. So noise hits all alike, and only ratios should be trusted.
//
// A section of the program is a file with a function that returns tables, listed in sections.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// section is a group of tables about one question.
type section struct {
	name string
	run  func(b *bench) []*table
}

var sections = []section{
	{"maps", maps},
	{"uneven", unevenMaps},
	{"streams", streams},
	{"small", small},
	{"latency", latency},
	{"memory", memory},
	{"options", options},
	{"arrays", arrays},
	{"codecs", codecs},
	{"processes", processes},
	{"cluster", clusters},
}

func main() {
	servePlugin()
	jobgen.Init() // a child that the section processes starts does its work here
	quick := flag.Bool("quick", false, "a smoke test: little work, one round")
	run := flag.String("run", "", "only the rows whose section/name matches this `regexp`")
	rounds := flag.Int("rounds", 9, "how often each row is measured")
	patient := flag.Duration("patience", time.Minute, "how long to repeat, all in all, what other programs have disturbed")
	markdown := flag.Bool("markdown", false, "print the tables in Markdown")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 {
		flag.Usage()
		os.Exit(2)
	}
	b := &bench{rounds: *rounds, least: 10 * time.Millisecond, quick: *quick, cores: workers()}
	if *quick {
		b.rounds, b.least, *patient = 1, 0, 0
	}
	if *run != "" {
		only, err := regexp.Compile(*run)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: -run: %v\n", err)
			os.Exit(2)
		}
		b.only = only
	}
	b.others.left = *patient
	b.clock = calibrate()
	b.header(os.Stdout)
	if b.only == nil {
		participants().print(os.Stdout, *markdown)
	}
	defer func() { os.RemoveAll(tinyDir) }() // nothing, if it was not made
	for _, s := range sections {
		for _, t := range s.run(b) {
			t.print(os.Stdout, *markdown)
		}
	}
	fmt.Printf("%d rounds of rows. Other programs disturbed %d more, which were repeated, and %d of those that count.\n",
		b.others.rounds, b.others.repeated, b.others.spoilt)
}
