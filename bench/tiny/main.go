// Command tiny measures jobgen's child processes in a program that has nothing else in it, as pools.py does for
// Python's: every child starts as this program does, and the benchmark's own has the start of all the libraries that it
// compares. usage: tiny what jobs workers repetitions
//
// It prints the nanoseconds per job, a line for each repetition.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

// Double is a job so short that only the way to it and back takes time.
//
//jobgen:worker
func Double(x float64) float64 { return 2 * x }

// measures are what can be measured: how long something takes, all in all.
var measures = map[string]func(r *DoubleRunner, inputs []float64) time.Duration{
	"run": func(r *DoubleRunner, inputs []float64) time.Duration {
		start := time.Now()
		if _, err := r.Run(context.Background(), inputs); err != nil {
			log.Fatal(err)
		}
		return time.Since(start)
	},
	"first": func(r *DoubleRunner, inputs []float64) (first time.Duration) {
		start := time.Now()
		for _, err := range r.Stream(context.Background(), slices.Values(inputs)) {
			if err != nil {
				log.Fatal(err)
			}
			if first == 0 {
				first = time.Since(start)
			}
		}
		return first
	},
}

func main() {
	jobgen.Init()
	log.SetFlags(0)
	if len(os.Args) != 5 || measures[os.Args[1]] == nil {
		log.Fatal("usage: tiny run|first jobs workers repetitions")
	}
	var numbers [3]int
	for i := range numbers {
		n, err := strconv.Atoi(os.Args[2+i])
		if err != nil {
			log.Fatal(err)
		}
		numbers[i] = n
	}
	jobs, workers, repetitions := numbers[0], numbers[1], numbers[2]
	inputs := make([]float64, max(jobs, workers)) // fewer would not need all workers
	for i := range inputs {
		inputs[i] = float64(i)
	}
	r := NewDoubleRunner(jobgen.Processes(), jobgen.Workers(workers))
	measures["run"](r, inputs[:min(len(inputs), 100)])
	for range repetitions {
		fmt.Println(float64(measures[os.Args[1]](r, inputs).Nanoseconds()) / float64(jobs))
	}
}
