package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// Dataset is the input of an outer job: the inputs of some inner ones.
type Dataset struct {
	Name   string
	Arrays [][]float64
}

// Slow is a job that takes its time, so that one can see the bar move.
//
//jobgen:worker bind=pause
func Slow(ctx context.Context, x []float64, pause time.Duration) (float64, error) {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	var v Variance
	return v.Do(x)
}

// MeanVariance is the mean of the variances of a dataset. Its job runs jobs of its own. When these
// take more than two seconds their bar is shown in place of the outer one, and disappears when they
// are done.
//
//jobgen:worker
type MeanVariance struct{ Pause time.Duration }

// Do is the outer job.
func (m *MeanVariance) Do(ctx context.Context, d Dataset) (float64, error) {
	variances, err := NewSlowRunner(m.Pause, jobgen.Progress(d.Name), jobgen.Workers(2)).Run(ctx, d.Arrays)
	return Mean(variances), err
}

const progressCode = `
// The jobs of this run have runs of their own, each with its bar.
outer := NewMeanVarianceRunner(MeanVariance{nap}, jobgen.Progress("outer"))
means, err := outer.Run(ctx, datasets)

// Or a bar of one's own, which counts the jobs of several runs.
bar := progressbar.Default(36)
for _, d := range datasets[:2] {
	_, err = NewSlowRunner(nap, jobgen.ProgressTo(bar)).Run(ctx, d.Arrays)
}
`

// nap is how long a slow job takes: long enough for a reader to see the bars, if there is one.
func nap(stderr io.Writer) time.Duration {
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return 25 * time.Millisecond
	}
	return time.Millisecond
}

func showProgress(ctx context.Context, out, stderr io.Writer) error {
	datasets := []Dataset{
		{"small", slices.Repeat(arrays[:1], 12)},
		{"medium", slices.Repeat(arrays[1:2], 24)},
		{"large", slices.Repeat(arrays[:2], 150)},
	}
	nap := nap(stderr)

	outer := NewMeanVarianceRunner(MeanVariance{Pause: nap}, jobgen.Progress("outer"), jobgen.Workers(1))
	means, err := outer.Run(ctx, datasets)
	if err != nil {
		return err
	}
	for i, m := range means {
		fmt.Fprintf(out, "  %-6s  mean variance %.2f\n", datasets[i].Name, m)
	}

	bar := progressbar.NewOptions(36, progressbar.OptionSetDescription("own bar"),
		progressbar.OptionSetWriter(stderr), progressbar.OptionSetWidth(40),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(stderr) }))
	for _, d := range datasets[:2] {
		if _, err := NewSlowRunner(nap, jobgen.ProgressTo(bar), jobgen.Workers(2)).Run(ctx, d.Arrays); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "  one bar for 2 runs stands at %d of %d jobs\n", bar.State().CurrentNum, bar.State().Max)
	return nil
}
