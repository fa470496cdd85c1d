package main

import (
	"math"
	"strings"
	"testing"
)

// loop is what the ways do, in the way one would write it without jobgen.
func loop(p plan) (variances []float64) {
	for i := range p.n {
		x := make([]float64, p.length)
		for lo := 0; lo < p.length; lo += partLength {
			Fill(x[lo:min(lo+partLength, p.length)], uint64(i*p.length+lo), p.seed)
		}
		variances = append(variances, Variance(x))
	}
	return variances
}

func TestWays(t *testing.T) {
	for _, p := range []plan{
		{n: 1, length: 1},
		{n: 7, length: 1000, seed: 1},
		{n: 7, length: 1000, seed: 2, workers: 3},
		{n: 2, length: partLength, seed: 3},
		{n: 2, length: partLength + 1000, seed: 4},
	} {
		want := loop(p)
		for _, w := range ways {
			r := &row{way: w.name}
			if err := w.measure(t.Context(), p, r); err != nil {
				t.Errorf("%s of %+v: %v", w.name, p, err)
				continue
			}
			if i := difference(want, r.variances); i >= 0 || len(r.variances) != p.n {
				t.Errorf("%s of %+v: %v, want %v", w.name, p, r.variances, want)
			}
			copied := int64(0)
			if w.name == "copied" {
				copied = int64(p.bytes(p.n))
			}
			if r.arena.Copied != copied {
				t.Errorf("%s of %+v: %d bytes were copied, want %d", w.name, p, r.arena.Copied, copied)
			}
			if used := w.name != "plain"; used != (r.arena.InUse == int64(p.bytes(p.n))) {
				t.Errorf("%s of %+v: the arena holds %d bytes", w.name, p, r.arena.InUse)
			}
		}
	}
}

// Processes work on the arrays in the arena, and on copies of those on the heap; the results are the same. It is
// said who did what.
func TestProcesses(t *testing.T) {
	if !shared(t) {
		t.Skip("processes cannot share arenas in this build")
	}
	small := []string{"-n", "3", "-len", "1000"}
	here, _, _ := arrays(t.Context(), small...)
	check := func(t *testing.T, args []string, places string) {
		got, stderr, status := arrays(t.Context(), args...)
		if status != exitOK || variances(t, got) != variances(t, here) {
			t.Fatalf("status %d, stderr:\n%s\nstdout:\n%s\nwant the variances of\n%s", status, stderr, got, here)
		}
		if !strings.Contains(got, places) || !strings.Contains(got, "\nWhat travels to the processes") {
			t.Errorf("the output is\n%s\nwant in it\n%s", got, places)
		}
	}
	t.Run("flag", func(t *testing.T) {
		check(t, append(small, "-processes", "-workers", "2"), `
  plain  filled by 2 workers (goroutines), run by 2 workers (processes)
  copied filled by 1 worker (goroutines), run by 2 workers (processes)
  born   filled by 2 workers (processes), run by 2 workers (processes)

`)
	})
	t.Run("environment", func(t *testing.T) {
		t.Setenv("JOBGEN_BACKEND", "processes:3")
		check(t, append(small, "born"), "\n3 workers (processes) filled the arrays and ran the jobs.\n")
	})
}

// variances are those in a report.
func variances(t *testing.T, report string) string {
	t.Helper()
	_, after, ok := strings.Cut(report, "\nThe variances")
	_, after, _ = strings.Cut(after, "\n")
	if !ok {
		t.Fatalf("there are no variances in\n%s", report)
	}
	line, _, _ := strings.Cut(after, "\n")
	return line
}

// Debug mode changes where jobs run, not what comes out.
func TestDebug(t *testing.T) {
	here, _, _ := arrays(t.Context(), "-n", "3", "-len", "1000")
	want := variances(t, here)
	t.Setenv("JOBGEN_DEBUG", "1")
	there, _, _ := arrays(t.Context(), "-n", "3", "-len", "1000")
	if got := variances(t, there); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDifference(t *testing.T) {
	rows := []*row{{way: "plain", variances: []float64{1, 2}}, {way: "born", variances: []float64{1, math.Nextafter(2, 3)}}}
	var out strings.Builder
	err := printResults(&out, rows)
	if err == nil || out.String() != "" ||
		err.Error() != "the results differ: array 1 has the variance 2 in the way plain, and 2.0000000000000004 in the way born" {
		t.Errorf("%v; printed: %q", err, out.String())
	}
}

func TestVariance(t *testing.T) {
	const far = 1e9 // where the naive formula has no digit left
	for _, test := range []struct {
		x    []float64
		want float64
	}{
		{[]float64{5}, 0},
		{[]float64{1, 2, 3, 4}, 1.25},
		{[]float64{far + 1, far + 2, far + 3, far + 4}, 1.25},
	} {
		if got := Variance(test.x); got != test.want {
			t.Errorf("Variance(%v) = %v, want %v", test.x, got, test.want)
		}
	}
	if got := Variance(nil); !math.IsNaN(got) {
		t.Errorf("Variance(nil) = %v, want NaN", got)
	}
	x := make([]float64, 100_000)
	Fill(x, 0, 1)
	if got := Variance(x); math.Abs(got-1.0/12) > 1e-3 {
		t.Errorf("the variance of random numbers from 0 up to 1 is %v, want about 1/12", got)
	}
}

func TestText(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := group(n); got != want {
			t.Errorf("group(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 80e6: "80.0 MB", 1.2e9: "1.2 GB"} {
		if got := size(n); got != want {
			t.Errorf("size(%v) = %q, want %q", n, got, want)
		}
	}
}
