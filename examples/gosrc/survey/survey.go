// Package survey measures Go source files and reports on them: what the examples gosrc do, whose commands say where
// the jobs run.
package survey

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jobgen/jobgen/examples/gosrc/metrics"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// Survey is what was found out about a source.
type Survey struct {
	*Source
	rows    []row
	broken  []*metrics.SyntaxError // the files that are not Go, in walking order
	trouble []error                // what kept files from being measured

	unmeasured int   // how many files were not measured because ctx ended
	cause      error // why it did

	elapsed time.Duration
	run     jobgen.RunInfo
}

// row is a file that was measured.
type row struct {
	path string
	metrics.File
}

// Measure runs one job for each file, with the worker of package metrics. Its error is that of a run that could not start.
func Measure(ctx context.Context, src *Source, opts ...jobgen.Option) (*Survey, error) {
	s := &Survey{Source: src, trouble: src.trouble}
	over := jobgen.Observer{RunDone: func(info jobgen.RunInfo, _ error) { s.run = info }}
	jobs := metrics.NewMetricsRunner(metrics.Metrics{Root: src.root},
		jobgen.CollectErrors(), jobgen.Progress("parsing"), jobgen.Observe(over))

	start := time.Now()
	files, err := jobs.Run(ctx, src.paths, opts...)
	s.elapsed = time.Since(start)

	var failed *jobgen.RunError
	if errors.As(err, &failed) {
		s.cause = failed.Cause
		if s.cause != nil && ctx.Err() == nil {
			return nil, err
		}
		for _, job := range failed.Jobs {
			s.failed(job.Err)
		}
	}
	for i, file := range files {
		if failed == nil || failed.HasResult(i) {
			s.rows = append(s.rows, row{src.paths[i], file})
		}
	}
	s.unmeasured = len(files) - len(s.rows)
	if failed != nil {
		s.unmeasured -= len(failed.Jobs)
	}
	return s, nil
}

// failed sorts the error of a file.
func (s *Survey) failed(err error) {
	var syntax *metrics.SyntaxError
	if errors.As(err, &syntax) {
		s.broken = append(s.broken, syntax)
	} else {
		s.trouble = append(s.trouble, err)
	}
}

// measureSerially does the same as [Measure] in the way one would write it without jobgen.
func measureSerially(ctx context.Context, src *Source) (*Survey, error) {
	s := &Survey{Source: src, trouble: src.trouble}
	m := metrics.Metrics{Root: src.root}
	start := time.Now()
	for _, path := range src.paths {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if file, err := m.Do(path); err != nil {
			s.failed(err)
		} else {
			s.rows = append(s.rows, row{path, file})
		}
	}
	s.elapsed = time.Since(start)
	return s, nil
}

// ReadAll reads all files once and forgets them. It needs no type and no generated code: [jobgen.Map]
// runs a function. Its error is that of a run that was ended early; a file that cannot be read is
// reported when it is measured.
func ReadAll(ctx context.Context, src *Source) error {
	_, err := jobgen.Map(ctx, src.paths, func(_ context.Context, path string) (int64, error) {
		f, err := os.Open(filepath.Join(src.root, path))
		if err != nil {
			return 0, nil
		}
		defer f.Close()
		n, _ := io.Copy(io.Discard, f)
		return n, nil
	}, jobgen.Progress("reading"))
	return err
}
