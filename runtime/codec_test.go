package jobgen_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/runtime/jobtest"
)

// coded is a worker on bytes whose codec fails or panics where it is told to.
func coded(name, where string, how func() error) jobgen.Spec[byte, byte] {
	here := func(place string) error {
		if place == where {
			return how()
		}
		return nil
	}
	instances := func() jobgen.Instance[byte, byte] {
		return jobgen.Instance[byte, byte]{Do: func(_ context.Context, in byte) (byte, error) { return in + 1, nil }}
	}
	read := func(place string) func([]byte) (byte, []byte, error) {
		return func(b []byte) (byte, []byte, error) { return b[0], b[1:], here(place) }
	}
	write := func(place string) func([]byte, byte) ([]byte, error) {
		return func(b []byte, v byte) ([]byte, error) { return append(b, v), here(place) }
	}
	return jobgen.Spec[byte, byte]{Name: name, New: instances, Wire: &jobgen.Wire[byte, byte]{
		Config:     func(b []byte) ([]byte, error) { return b, nil },
		Configured: func([]byte) (func() jobgen.Instance[byte, byte], error) { return instances, nil },
		AppendIn:   write("encoding the input"),
		ReadIn:     read("decoding job 0"),
		AppendOut:  write("encoding the result"),
		ReadOut:    read("decoding the result"),
	}}
}

// A codec that fails or panics, which only the user's own methods do, ends the run with an error that says where.
func TestFailingCodec(t *testing.T) {
	for _, where := range []string{"", "encoding the input", "decoding job 0", "encoding the result", "decoding the result"} {
		for how, f := range map[string]func() error{
			"error": func() error { return io.ErrNoProgress },
			"panic": func() error { panic(io.ErrNoProgress) },
		} {
			name := "example.com/codec.W[example.com/other.T], " + where + " " + how
			spec := coded(name, where, f)
			jobgen.Register(spec)
			r := jobgen.NewRunner(spec, jobgen.On(&jobtest.Loopback{}))
			out, err := r.Run(context.Background(), []byte{1})
			var p *jobgen.PanicError
			switch {
			case where == "":
				if err != nil || out[0] != 2 {
					t.Errorf("%v, %v", out, err)
				}
			case !errors.Is(err, io.ErrNoProgress) || !strings.Contains(err.Error(), where):
				t.Errorf("%s: %s: the run returned %v", where, how, err)
			case errors.As(err, &p) != (how == "panic"):
				t.Errorf("%s: %s: the run returned %v", where, how, err)
			}
		}
	}
}

// The short name of an instance keeps the paths in its type arguments.
func TestInstanceName(t *testing.T) {
	spec := jobgen.Spec[int, int]{Name: "example.com/m/a.Sq[example.com/m/b.T]", Local: "because"}
	r := jobgen.NewRunner(spec, jobgen.On(&jobtest.Loopback{}))
	if _, err := r.Run(context.Background(), []int{1}); err == nil || !strings.Contains(err.Error(), ": a.Sq[example.com/m/b.T] runs in this process only: because") {
		t.Errorf("the run returned %v", err)
	}
}
