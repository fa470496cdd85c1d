package survey

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"runtime"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// rounds is how often both ways are measured, in turns. The fastest round of each counts: whatever
// else the machine does can only make one slower.
const rounds = 3

// Compare measures the files in a plain loop, and again with jobgen, whose first round is s. Its
// error is that of a run that was ended early.
func Compare(ctx context.Context, s *Survey, opts []jobgen.Option, out, stderr io.Writer) error {
	var loop *Survey
	same := true
	for i := range rounds {
		if i > 0 {
			runtime.GC() // no round pays for the garbage of the one before
			again, err := Measure(ctx, s.Source, opts...)
			if err != nil {
				return err
			}
			if again.cause != nil {
				return again.cause
			}
			same = same && equal(again, s)
			s = faster(s, again)
		}
		fmt.Fprintf(stderr, "plain loop, round %d of %d: no progress shown\n", i+1, rounds)
		runtime.GC()
		again, err := measureSerially(ctx, s.Source)
		if err != nil {
			return err
		}
		same = same && equal(again, s)
		loop = faster(loop, again)
	}
	printComparison(out, loop, s, same)
	return nil
}

func faster(a, b *Survey) *Survey {
	if a != nil && a.elapsed <= b.elapsed {
		return a
	}
	return b
}

func equal(a, b *Survey) bool {
	return reflect.DeepEqual(a.rows, b.rows) && reflect.DeepEqual(a.broken, b.broken)
}

func printComparison(w io.Writer, loop, jobs *Survey, same bool) {
	fmt.Fprintf(w, "\nCompared with a plain loop; the best of %d rounds in turns, after the files had\n", rounds)
	fmt.Fprintf(w, "been read once:\n\n")
	fmt.Fprintf(w, "             time    files/s     MB/s\n")
	loop.printRow(w, "loop")
	jobs.printRow(w, "jobgen")
	fmt.Fprintf(w, "\n%.2f times as fast with %s on %s", loop.elapsed.Seconds()/jobs.elapsed.Seconds(),
		count(jobs.run.Workers, "worker"), cores())
	if same {
		fmt.Fprintf(w, ", with the same results.\n")
	} else {
		fmt.Fprintf(w, ", but with DIFFERENT RESULTS: have files changed?\n")
	}
	fmt.Fprintf(w, "(In the loop, too, Go collects garbage on a core that is free.)\n")
}

func (s *Survey) printRow(w io.Writer, name string) {
	bytes, _ := s.total()
	fmt.Fprintf(w, "  %-6s  %5.2f s  %9s  %7.1f\n", name, s.elapsed.Seconds(),
		group(int(s.perSecond(float64(len(s.rows))))), s.perSecond(bytes/1e6))
}
