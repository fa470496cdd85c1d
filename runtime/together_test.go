//go:build unix

package jobgen_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/runtime/wire"
)

// plainSpec is of a mortal whose jobs travel by the kernel's own codec, so that many are encoded in one call and their
// results come together.
func plainSpec() jobgen.Spec[string, string] {
	spec := mortalSpec(mortal{})
	spec.Name = "github.com/jobgen/jobgen/runtime_test/plain.mortal"
	spec.Wire.AppendIn = func(b []byte, in string) ([]byte, error) { return wire.AppendString(b, &in), nil }
	spec.Wire.AppendOut = spec.Wire.AppendIn
	spec.Wire.ReadIn = func(b []byte) (in string, rest []byte, err error) {
		d := wire.Decode(b)
		wire.ReadString(&d, &in)
		rest, err = d.Rest()
		return in, rest, err
	}
	spec.Wire.ReadOut = spec.Wire.ReadIn
	spec.Wire.AppendIns = wire.AppendEach[string](wire.AppendString)
	spec.Wire.ReadIns = wire.ReadEach[string](wire.ReadString)
	spec.Wire.ReadOuts = wire.ReadEach[string](wire.ReadString)
	return spec
}

func init() { jobgen.Register(plainSpec()) }

func plains(opts ...jobgen.Option) *jobgen.Runner[string, string] {
	r := jobgen.NewRunner(plainSpec(), append([]jobgen.Option{jobgen.Processes(), jobgen.Workers(2)}, opts...)...)
	return &r
}

// trials is many quick jobs, of which some take a moment, have large results, fail, or end their process.
func trials(r *rand.Rand, jobs int) (in []string, deadly, failing int) {
	for i := range jobs {
		s := fmt.Sprint("job ", i)
		switch r.IntN(400) {
		case 0:
			s = "spin"
		case 1:
			s = fmt.Sprint("large ", r.IntN(5000))
		case 2:
			s = fmt.Sprint("large ", r.IntN(100_000))
		case 3:
			s, failing = "error eof", failing+1
		case 4:
			if deadly < 6 {
				s, deadly = atDo+" exit 3", deadly+1
			}
		}
		in = append(in, s)
	}
	return in, deadly, failing
}

// checkTrial checks what has become of one of them.
func checkTrial(t *testing.T, i int, in, out string, err error) {
	t.Helper()
	var lost *jobgen.WorkerLostError
	size := 0
	switch {
	case in == atDo+" exit 3":
		if !errors.As(err, &lost) {
			t.Fatalf("job %d, %q: %q, %v", i, in, out, err)
		}
	case in == "error eof":
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("job %d, %q: %q, %v", i, in, out, err)
		}
	case strings.HasPrefix(in, "large"):
		if _, e := fmt.Sscanf(in, "large %d", &size); e != nil || err != nil || out != strings.Repeat("x", size) {
			t.Fatalf("job %d, %q: %d bytes, %v", i, in, len(out), err)
		}
	case err != nil || out != in:
		t.Fatalf("job %d, %q: %q, %v", i, in, out, err)
	}
}

// Results that come together are those of a serial loop, with each failure where it belongs, also when processes die with
// results that they have not sent.
func TestTogether(t *testing.T) {
	for seed := range uint64(3) {
		in, deadly, failing := trials(rand.New(rand.NewPCG(seed, 7)), 20_000)
		lost := 0
		count := jobgen.Observe(jobgen.Observer{WorkerLost: func(jobgen.RunInfo, string, error) { lost++ }})
		out, err := plains(jobgen.Workers(1), jobgen.CollectErrors(), count).Run(t.Context(), in)
		var run *jobgen.RunError
		if !errors.As(err, &run) || len(run.Jobs) != deadly+failing || lost != deadly {
			t.Fatalf("seed %d: %d processes lost, of %d; %v", seed, lost, deadly, err)
		}
		failed := map[int]error{}
		for _, j := range run.Jobs {
			failed[j.Index] = j
		}
		for i := range in {
			checkTrial(t, i, in[i], out[i], failed[i])
		}

		i := 0
		for out, err := range plains(jobgen.CollectErrors()).Stream(t.Context(), slices.Values(in)) {
			var e *jobgen.JobError
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			checkTrial(t, i, in[i], out, err)
			i++
		}
		seen := make([]bool, len(in))
		for o := range plains(jobgen.CollectErrors()).Unordered(t.Context(), slices.Values(in)) {
			if o.Index < 0 || seen[o.Index] {
				t.Fatalf("seed %d: job %d again, or none: %v", seed, o.Index, o.Err)
			}
			seen[o.Index] = true
			checkTrial(t, o.Index, in[o.Index], o.Value, o.Err)
		}
		if i != len(in) || slices.Contains(seen, false) {
			t.Fatalf("seed %d: %d results in order, and all without: %v", seed, i, !slices.Contains(seen, false))
		}
	}
}

// Without CollectErrors the run ends with the first failure, and has the results before it.
func TestTogetherFailsFast(t *testing.T) {
	in := make([]string, 5000)
	for i := range in {
		in[i] = fmt.Sprint("job ", i)
	}
	in[1234], in[3000] = "error eof", "error eof"
	out, err := plains().Run(t.Context(), in)
	var run *jobgen.RunError
	if !errors.As(err, &run) || len(run.Jobs) != 1 || run.Jobs[0].Index != 1234 {
		t.Fatal(err)
	}
	if !slices.Equal(out[:1234], in[:1234]) {
		t.Error("results before the failure are missing")
	}
}

// Quick results that wait for others do not wait for a slow job.
func TestTogetherDoesNotWait(t *testing.T) {
	in := make([]string, 3000)
	for i := range in {
		in[i] = fmt.Sprint("job ", i)
	}
	in[2500] = "wait" // until it is cancelled, which is when all results before it have come
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	n := 0
	for out, err := range plains(jobgen.Workers(1)).Stream(ctx, slices.Values(in)) {
		if err != nil {
			if n < 2500 || !errors.Is(err, errHome) {
				t.Errorf("job %d: %v", n, err)
			}
			break
		}
		if out != in[n] {
			t.Errorf("job %d is %q", n, out)
		}
		if n++; n == 2500 {
			cancel(errHome)
		}
	}
	if n != 2500 {
		t.Errorf("%d results", n)
	}
}

// A process that dies while it decodes a chunk in one go has not died of a job: the chunk goes to another one.
func TestDeathWhileDecodingTogether(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("first chunk %t", first), func(t *testing.T) { testDeathWhileDecoding(t, first) })
	}
}

func testDeathWhileDecoding(t *testing.T, first bool) {
	in := make([]string, 300)
	for i := range in {
		in[i] = fmt.Sprint("job ", i)
	}
	at := 40
	if first {
		at = 0
	}
	in[at] = filepath.Join(t.TempDir(), "died") // where it is noted, so that it happens once
	spec := dyingSpec()
	lost := 0
	r := jobgen.NewRunner(spec, jobgen.Processes(), jobgen.Workers(1), jobgen.Observe(jobgen.Observer{
		WorkerLost: func(jobgen.RunInfo, string, error) { lost++ },
	}))
	out, err := r.Run(t.Context(), in)
	if err != nil || !slices.Equal(out, in) {
		t.Errorf("%d results, %v", len(out), err)
	}
	if lost != 1 {
		t.Errorf("%d processes were lost, want 1", lost)
	}
}

// dyingSpec is of a plain mortal whose process is killed after it has decoded, with others, a path where there is no file yet.
func dyingSpec() jobgen.Spec[string, string] {
	spec := plainSpec()
	spec.Name = "github.com/jobgen/jobgen/runtime_test/dying.mortal"
	read := spec.Wire.ReadIns
	spec.Wire.ReadIns = func(b []byte, in []string) (int, []byte, error) {
		n, rest, err := read(b, in)
		for _, path := range in[:n] {
			if filepath.IsAbs(path) && os.Mkdir(path, 0o700) == nil {
				_ = die("SIGKILL")
			}
		}
		return n, rest, err
	}
	return spec
}

func init() { jobgen.Register(dyingSpec()) }
