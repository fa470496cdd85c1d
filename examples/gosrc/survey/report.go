package survey

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/jobgen/jobgen/examples/gosrc/metrics"
)

// Print writes the report: the n files with the most complex functions, those that could not be parsed (all of them, or
// the first), what else kept files from being measured, and how fast it was.
func (s *Survey) Print(w io.Writer, n int, all bool) {
	s.printTop(w, n)
	s.printBroken(w, all)
	s.printTrouble(w)
	s.printSpeed(w)
}

// Stopped returns why the survey ended before all files were measured, nil if it did not.
func (s *Survey) Stopped() error { return s.cause }

// Trouble reports whether files or directories could not be read.
func (s *Survey) Trouble() bool { return len(s.trouble) > 0 }

// Empty reports whether there is nothing to measure.
func (s *Source) Empty() bool { return len(s.paths) == 0 && len(s.trouble) == 0 }

// printTop prints the n files with the most complex functions.
func (s *Survey) printTop(w io.Writer, n int) {
	rows := slices.Clone(s.rows)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.Peak.Complexity, a.Peak.Complexity) })
	rows = rows[:min(n, len(rows))]

	fmt.Fprintf(w, "%s in %s\n\n", count(len(s.paths), "Go file"), s.root)
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w, "The files with the most complex functions (McCabe's cyclomatic complexity:")
	fmt.Fprintln(w, "1, and 1 more for each if, for, case, && and ||):")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "complexity   lines  funcs  the most complex function, and where it is")
	for _, r := range rows {
		fmt.Fprintf(w, "%10s %7s %6s  %s\n", group(r.Peak.Complexity), group(r.Lines), group(r.Funcs), name(r.Peak))
		place := at(r)
		indent := min(len("complexity   lines  funcs  "), columns-width(place)) // a long path starts further left
		fmt.Fprintf(w, "%*s%s\n", max(indent, 2), "", place)
	}
	fmt.Fprintln(w)
}

func name(f metrics.Func) string {
	if f.Name == "" {
		return "(no function)"
	}
	return f.Name
}

func at(r row) string {
	if r.Peak.Line == 0 {
		return r.path
	}
	return fmt.Sprintf("%s:%d", r.path, r.Peak.Line)
}

const brokenShown = 5

// printBroken prints the files that could not be parsed, or the first of them.
func (s *Survey) printBroken(w io.Writer, all bool) {
	if len(s.broken) == 0 {
		return
	}
	shown := s.broken
	if !all {
		shown = shown[:min(len(shown), brokenShown)]
	}
	fmt.Fprintf(w, "%s could not be parsed%s:\n\n", count(len(s.broken), "file"), s.excuse())
	for _, e := range shown {
		fmt.Fprintf(w, "  %s:%d:%d:\n", e.Path, e.Line, e.Col)
		printWrapped(w, "      ", e.Msg)
	}
	if more := len(s.broken) - len(shown); more > 0 {
		fmt.Fprintf(w, "  and %s more; -all shows them\n", group(more))
	}
	fmt.Fprintln(w)
}

// excuse says how many of the broken files belong to test data.
func (s *Survey) excuse() string {
	tests := 0
	for _, e := range s.broken {
		if slices.Contains(strings.Split(e.Path, "/"), "testdata") {
			tests++
		}
	}
	switch {
	case tests == 0:
		return ""
	case tests < len(s.broken):
		return fmt.Sprintf(", %s of them test data", group(tests))
	}
	return " (all test data, likely broken on purpose)"
}

// printTrouble prints what could not be measured for another reason.
func (s *Survey) printTrouble(w io.Writer) {
	if len(s.trouble) > 0 {
		fmt.Fprintf(w, "Not measured because of errors:\n\n")
		for _, err := range s.trouble {
			fmt.Fprintf(w, "  %v\n", err)
		}
		fmt.Fprintln(w)
	}
	if len(s.skipped) > 0 {
		fmt.Fprintf(w, "Left out:\n\n")
		for _, text := range s.skipped {
			fmt.Fprintf(w, "  %s\n", text)
		}
		fmt.Fprintln(w)
	}
	if s.cause != nil {
		fmt.Fprintf(w, "Stopped early (%v): %s of %s not measured.\n\n",
			s.cause, group(s.unmeasured), count(len(s.paths), "file"))
	}
}

// printSpeed prints how fast the run was. Files that could not be parsed do not count.
func (s *Survey) printSpeed(w io.Writer) {
	bytes, lines := s.total()
	fmt.Fprintf(w, "Parsed %s (%s, %s) in %.2f s:\n",
		count(len(s.rows), "file"), size(bytes), count(lines, "line"), s.elapsed.Seconds())
	fmt.Fprintf(w, "%s files/s, %.1f MB/s with %s (%s) on %s.\n",
		group(int(s.perSecond(float64(len(s.rows))))), s.perSecond(bytes/1e6),
		count(s.run.Workers, "worker"), s.run.Backend, cores())
}

// cores says how many processors Go uses.
func cores() string { return count(runtime.GOMAXPROCS(0), "core") }

func (s *Survey) total() (bytes float64, lines int) {
	for _, r := range s.rows {
		bytes += float64(r.Bytes)
		lines += r.Lines
	}
	return bytes, lines
}

func (s *Survey) perSecond(n float64) float64 {
	if s.elapsed <= 0 {
		return 0
	}
	return n / s.elapsed.Seconds()
}
