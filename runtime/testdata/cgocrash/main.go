// Cgocrash runs jobs in processes, some of which die in C. It prints what became of each.
package main

/*
#include <stdlib.h>
#include <pthread.h>

static void segfault(void) { *(volatile int *)8 = 1; }

static void *crash(void *arg) { segfault(); return arg; }

static void inThread(void) {
	pthread_t t;
	if (pthread_create(&t, NULL, crash, NULL) == 0) pthread_join(t, NULL);
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func do(_ context.Context, deed string) (string, error) {
	switch deed {
	case "segfault":
		C.segfault()
	case "segfault in a thread of C":
		C.inThread()
	case "abort":
		C.abort()
	case "exit":
		C.exit(5)
	}
	return deed, nil
}

func spec() jobgen.Spec[string, string] {
	instance := func() jobgen.Instance[string, string] { return jobgen.Instance[string, string]{Do: do} }
	write := func(b []byte, s string) ([]byte, error) { return append(append(b, byte(len(s))), s...), nil }
	read := func(b []byte) (string, []byte, error) { n := 1 + int(b[0]); return string(b[1:n]), b[n:], nil }
	return jobgen.Spec[string, string]{
		Name: "cgocrash.do", New: instance,
		Wire: &jobgen.Wire[string, string]{
			Config:     func(b []byte) ([]byte, error) { return b, nil },
			Configured: func([]byte) (func() jobgen.Instance[string, string], error) { return instance, nil },
			AppendIn:   write, ReadIn: read, AppendOut: write, ReadOut: read,
		},
	}
}

func init() { jobgen.Register(spec()) }

func main() {
	jobgen.Init()
	in := []string{"a", "segfault", "b", "segfault in a thread of C", "c", "abort", "d", "exit", "e"}
	r := jobgen.NewRunner(spec(), jobgen.Processes(), jobgen.Workers(2), jobgen.CollectErrors())
	out, err := r.Run(context.Background(), in)
	var run *jobgen.RunError
	if !errors.As(err, &run) || run.Cause != nil {
		fmt.Println("the run has ended with", err)
		os.Exit(1)
	}
	for _, j := range run.Jobs {
		var lost *jobgen.WorkerLostError
		if errors.As(j, &lost) {
			fmt.Printf("%s: %s\n", in[j.Index], lost.Reason)
		} else {
			fmt.Printf("%s: %v\n", in[j.Index], j)
		}
	}
	fmt.Printf("%q\n", out)
}
