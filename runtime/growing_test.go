package jobgen_test

import (
	"context"
	"iter"
	"slices"
	"sync"
	"testing"

	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/runtime/jobtest"
)

// meeting lets nobody go on before as many have come as are expected.
type meeting struct {
	mu       sync.Mutex
	expected int
	here     int
	begin    chan struct{}
}

func (m *meeting) attend(ctx context.Context) error {
	m.mu.Lock()
	if m.here++; m.here == m.expected {
		close(m.begin)
	}
	m.mu.Unlock()
	select {
	case <-m.begin:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A backend to which workers come while a run is under way has its jobs run on all of them, in each way of running jobs. The
// jobs wait for each other, so that they end only if as many run at a time as there are slots in the end.
func TestRunsGrow(t *testing.T) {
	const workers, jobs = 6, 20
	room := &meeting{}
	spec := coded("example.com/growing.W", "", nil)
	instances := func() jobgen.Instance[byte, byte] {
		return jobgen.Instance[byte, byte]{Do: func(ctx context.Context, in byte) (byte, error) { return in + 1, room.attend(ctx) }}
	}
	spec.New = instances
	spec.Wire.Configured = func([]byte) (func() jobgen.Instance[byte, byte], error) { return instances, nil }
	jobgen.Register(spec)
	inputs := slices.Collect(numbered(jobs))
	want := slices.Collect(func(yield func(byte) bool) {
		for b := range numbered(jobs) {
			if !yield(b + 1) {
				return
			}
		}
	})
	r := jobgen.NewRunner(spec, jobgen.On(&jobtest.Loopback{Slots: workers, Late: true}))
	for name, run := range map[string]func() ([]byte, error){
		"Run": func() ([]byte, error) { return r.Run(t.Context(), inputs) },
		"Stream": func() (out []byte, err error) {
			for v, e := range r.Stream(t.Context(), numbered(jobs)) {
				out, err = append(out, v), e
			}
			return out, err
		},
		"Unordered": func() (out []byte, err error) {
			for o := range r.Unordered(t.Context(), numbered(jobs)) {
				out, err = append(out, o.Value), o.Err
			}
			slices.Sort(out)
			return out, err
		},
		"Batch, submitted before they come": func() ([]byte, error) {
			b := r.Batch(t.Context())
			for in := range numbered(jobs) {
				b.Submit(in)
			}
			return b.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			*room = meeting{expected: workers, begin: make(chan struct{})}
			if out, err := run(); err != nil || !slices.Equal(out, want) {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}

func numbered(n int) iter.Seq[byte] {
	return func(yield func(byte) bool) {
		for i := range n {
			if !yield(byte(i)) {
				return
			}
		}
	}
}
