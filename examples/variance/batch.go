package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Trimmed returns the mean and variance of an array without its drop smallest and drop largest
// values. Several parameters become the fields of a struct TrimmedJob, and Submit takes them as they
// are; several results become those of a TrimmedResult.
//
//jobgen:worker
func Trimmed(x []float64, drop int) (mean, variance float64, err error) {
	x = slices.Sorted(slices.Values(x))
	drop = min(drop, len(x)/2)
	x = x[drop : len(x)-drop]
	var v Variance
	variance, err = v.Do(x)
	return Mean(x), variance, err
}

const batchCode = `
batch := NewTrimmedRunner().Batch(ctx)
first := batch.Submit(x, 1)   // starts at once
one, err := first.Get(ctx)    // waits for this job
all, err := batch.Wait()      // waits for all; in the order of Submit
`

// measurements arrive line by line, each with the number of values to drop before the colon.
const measurements = `
1: 3 4 5 99
0: 1 2 3
2: 0 50 51 52 1000
`

func showBatch(ctx context.Context, out, _ io.Writer) error {
	batch := NewTrimmedRunner().Batch(ctx)
	first := batch.Submit([]float64{0, 1, 2, 3, 50}, 1)
	lines := bufio.NewScanner(strings.NewReader(strings.TrimSpace(measurements)))
	for lines.Scan() {
		drop, values, err := parse(lines.Text())
		if err != nil {
			return err
		}
		batch.Submit(values, drop)
	}
	one, err := first.Get(ctx)
	if err != nil {
		return err
	}
	all, err := batch.Wait()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  the first job: mean %.2f, variance %.2f\n", one.Mean, one.Variance)
	for i, r := range all {
		fmt.Fprintf(out, "  job %d: mean %5.2f, variance %.2f\n", i, r.Mean, r.Variance)
	}
	return nil
}

func parse(line string) (drop int, values []float64, err error) {
	before, after, _ := strings.Cut(line, ":")
	if drop, err = strconv.Atoi(before); err != nil {
		return 0, nil, err
	}
	for field := range strings.FieldsSeq(after) {
		value, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, nil, err
		}
		values = append(values, value)
	}
	return drop, values, nil
}
