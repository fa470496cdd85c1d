package jobgen_test

import (
	"context"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// ownContexts gives each chunk a context of its own, which ends when the chunk is over, as a backend does that is made of
// processes on other machines.
type ownContexts struct{ jobgen.Backend }

func (b ownContexts) Open(ctx context.Context, task jobgen.Task) (jobgen.Session, error) {
	s, err := b.Backend.Open(ctx, task)
	if err != nil {
		return nil, err
	}
	return ownContextsSession{s}, nil
}

type ownContextsSession struct{ jobgen.Session }

func (s ownContextsSession) Run(ctx context.Context, slot int, chunk jobgen.Chunk, done func(jobgen.Done)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return s.Session.Run(ctx, slot, chunk, done)
}

// The end of a chunk's context after the chunk does not reach the next one.
func TestContextOfEachChunk(t *testing.T) {
	jobs := make([]int, 400)
	r := jobgen.NewRunner(patientSpec(), jobgen.On(ownContexts{jobgen.ProcessBackend(2)}))
	for range 3 {
		for _, err := range r.Stream(context.Background(), func(yield func(int) bool) {
			for _, j := range jobs {
				if !yield(j) {
					return
				}
			}
		}, jobgen.Window(2)) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// patientSpec is of a worker whose jobs take a moment, and fail if they are told to end in it.
func patientSpec() jobgen.Spec[int, int] {
	instance := func() jobgen.Instance[int, int] {
		return jobgen.Instance[int, int]{Do: func(ctx context.Context, in int) (int, error) {
			select {
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			case <-time.After(200 * time.Microsecond):
				return in, nil
			}
		}}
	}
	number := func(b []byte, _ int) ([]byte, error) { return append(b, 1), nil }
	read := func(b []byte) (int, []byte, error) { return int(b[0]), b[1:], nil }
	return jobgen.Spec[int, int]{Name: "example.com/runtime.Patient", New: instance, Wire: &jobgen.Wire[int, int]{
		Config:     func(b []byte) ([]byte, error) { return b, nil },
		Configured: func([]byte) (func() jobgen.Instance[int, int], error) { return instance, nil },
		AppendIn:   number, ReadIn: read, AppendOut: number, ReadOut: read,
	}}
}

func init() { jobgen.Register(patientSpec()) }
