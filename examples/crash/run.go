package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Primes counts the primes below n, unless it is given a deed to do, by its name.
//
//jobgen:worker
func Primes(n int, deed string) (int, error) {
	if deed != "" {
		return 0, commit(deed)
	}
	return primesBelow(n), nil
}

// primesBelow counts with the sieve of Eratosthenes.
func primesBelow(n int) (count int) {
	composite := make([]bool, max(n, 2))
	for i := 2; i < n; i++ {
		if composite[i] {
			continue
		}
		count++
		for k := i * i; k < n; k += i {
			composite[k] = true
		}
	}
	return count
}

// jobs are n jobs, among them a culprit for each deed.
func jobs(n int) []PrimesJob {
	jobs := make([]PrimesJob, n)
	for i := range jobs {
		jobs[i].N = 20_000 + i%1000*100
	}
	for k, d := range deeds {
		jobs[(2*k+1)*n/(2*len(deeds))].Deed = d.name
	}
	return jobs
}

// demonstrate runs the jobs and reports. Its error says what is not as it should be.
func (p plan) demonstrate(ctx context.Context, out *bufio.Writer) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	atHome.Store(true)
	jobs := jobs(p.n)
	var info jobgen.RunInfo
	start := time.Now()
	counts, err := NewPrimesRunner().Run(ctx, jobs,
		jobgen.Processes(),
		jobgen.Workers(p.workers),
		jobgen.JobTimeout(p.timeout),
		jobgen.MemoryLimit(memoryLimit),
		jobgen.CollectErrors(),
		jobgen.Observe(jobgen.Observer{RunStarted: func(i jobgen.RunInfo) { info = i }}))
	took := time.Since(start)

	if info.Backend != "processes" && ctx.Err() == nil {
		return errors.Join(err, errors.New("the jobs are for child processes; elsewhere the culprits do nothing: unset JOBGEN_BACKEND and JOBGEN_DEBUG if they are set"))
	}
	var run *jobgen.RunError
	if err != nil && (!errors.As(err, &run) || run.Cause != nil || run.NotRun > 0) {
		return err
	}
	fmt.Fprintf(out, "%d jobs in %s, %d of them culprits\n\n", p.n, plural(info.Workers, "process"), len(deeds))
	trouble := reportCulprits(out, jobs, run)
	trouble = append(trouble, reportOthers(out, jobs, counts)...)
	fmt.Fprintf(out, "That took %.2f s.\n", took.Seconds())
	return errors.Join(trouble...)
}

// reportCulprits prints what became of the jobs that failed. It returns what was not to be expected.
func reportCulprits(out *bufio.Writer, jobs []PrimesJob, run *jobgen.RunError) (trouble []error) {
	printRow(out, " job", "what it did", "how it is reported")
	var named []string
	if run == nil {
		run = &jobgen.RunError{}
	}
	for _, j := range run.Jobs {
		name := jobs[j.Index].Deed
		named = append(named, name)
		kind, reason := describe(j.Err)
		printRow(out, fmt.Sprintf("%4d", j.Index), name, kind+": "+reason)
		k := slices.IndexFunc(deeds, func(d deed) bool { return d.name == name })
		switch {
		case k < 0:
			trouble = append(trouble, fmt.Errorf("a harmless job failed: %w", j))
		case deeds[k].kind != kind:
			trouble = append(trouble, fmt.Errorf("the job that %s is reported as %s, not %s", name, kind, deeds[k].kind))
		}
	}
	for _, d := range deeds {
		if !slices.Contains(named, d.name) {
			trouble = append(trouble, fmt.Errorf("the job that %s is not reported", d.name))
		}
	}
	return trouble
}

// reportOthers compares the results of the harmless jobs with those of a plain loop.
func reportOthers(out *bufio.Writer, jobs []PrimesJob, counts []int) (trouble []error) {
	right := 0
	for i, j := range jobs {
		if j.Deed != "" {
			continue
		}
		if want := primesBelow(j.N); counts[i] == want {
			right++
		} else {
			trouble = append(trouble, fmt.Errorf("job %d counts %d primes below %d; there are %d", i, counts[i], j.N, want))
		}
	}
	all := ", and all are right"
	if trouble != nil {
		all = " as they should"
	}
	fmt.Fprintf(out, "\n%d of %d jobs delivered their results%s.\n", right, len(jobs), all)
	return trouble
}
