package jobgen_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// A job that writes where it must not fails, and takes nothing with it.
func TestFaultIsTheJobs(t *testing.T) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	values, err := sharedmem.CopyOf(arena, []float64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "in.npy")
	if err := sharedmem.CreateNPY(path, values); err != nil {
		t.Fatal(err)
	}
	in, err := sharedmem.OpenNPY[float64](path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if !in.ReadOnly() {
		t.Skip("this system cannot map files")
	}

	results, err := jobgen.Map(t.Context(), []int{0, 1, 2}, func(_ context.Context, i int) (float64, error) {
		s := in.Slice()
		if i == 1 {
			s[i] = 0
		}
		return s[i], nil
	}, jobgen.CollectErrors(), jobgen.Workers(2))

	var run *jobgen.RunError
	var fault *sharedmem.FaultError
	var panicked *jobgen.PanicError
	if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Index != 1 || !errors.As(err, &panicked) || !errors.As(err, &fault) {
		t.Fatalf("the error is %v", err)
	}
	if !strings.Contains(err.Error(), path+", which is read-only (at ") || !strings.Contains(err.Error(), "fault_test.go:") {
		t.Errorf("the error does not say what and where: %v", err)
	}
	if results[0] != 1 || results[2] != 3 || !slices.Equal(in.Slice(), []float64{1, 2, 3}) {
		t.Errorf("results %v, file %v", results, in.Slice())
	}
}

// What a failed job was given is told as far as it can still be read.
func TestFailedJobOfClosedArena(t *testing.T) {
	for _, kind := range []string{"array", "slice"} {
		t.Run(kind, func(t *testing.T) {
			arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{Name: "inputs"})
			if err != nil {
				t.Fatal(err)
			}
			defer arena.Close()
			a, err := sharedmem.Alloc[float64](arena, 3, 4)
			if err != nil {
				t.Fatal(err)
			}
			s := a.Slice()
			if err := arena.Close(); err != nil {
				t.Fatal(err)
			}
			want := []string{"float64 array of shape (3, 4), made at fault_test.go:", `arena "inputs" was closed at fault_test.go:`}
			if kind == "slice" {
				if !arena.Stats().Shared {
					t.Skip("a slice of the heap stays")
				}
				_, err = jobgen.Map(t.Context(), [][]float64{s}, func(_ context.Context, s []float64) (float64, error) { return s[0], nil })
				want = want[1:]
			} else {
				_, err = jobgen.Map(t.Context(), []sharedmem.Array[float64]{a}, func(_ context.Context, a sharedmem.Array[float64]) (float64, error) {
					return a.At(0, 0), nil
				})
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in: %v", w, err)
				}
			}
		})
	}
}

// A job that uses an array wrongly is told its own line, not one of package sharedmem.
func TestMisuseIsTheJobs(t *testing.T) {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	values, err := sharedmem.CopyOf(arena, []float64{1, 2, 3, 4}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, misuse := range map[string]func(){
		"At":    func() { values.At(2, 0) },
		"Slice": func() { values.T().Slice() },
		"Rows":  func() { values.Rows(1, 3) },
	} {
		_, err := jobgen.Map(t.Context(), []int{0}, func(context.Context, int) (int, error) { misuse(); return 0, nil })
		if err == nil || !strings.Contains(err.Error(), "TestMisuseIsTheJobs") || !strings.Contains(err.Error(), "fault_test.go:") {
			t.Errorf("%s: the error does not say where: %v", name, err)
		}
	}
}
