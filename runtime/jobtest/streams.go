package jobtest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func streamBreak(t *testing.T, p Place) {
	// The consumer leaves while jobs wait for their contexts, and the input has no end.
	for _, leave := range []int{1, 5} {
		s := steps(200, func(s []Step) {
			if !p.Serial {
				s[leave+1].Act = Wait
			}
		})
		n := 0
		for v, err := range p.runner(Script{Factor: factor}, jobgen.Workers(3), jobgen.Seed(seed)).Stream(context.Background(), endless(s)) {
			if err != nil {
				t.Fatal(err)
			}
			checkValue(t, n, s[n], v)
			if n++; n == leave {
				break
			}
		}
		if n != leave {
			t.Errorf("%d results, want %d", n, leave)
		}
	}
}

func endless(s []Step) func(func(Step) bool) {
	return func(yield func(Step) bool) {
		for i := 0; yield(s[i%len(s)]); i++ {
		}
	}
}

func streamWindow(t *testing.T, p Place) {
	for _, window := range []int{1, 2, 5, 33} {
		var taken, yielded atomic.Int64
		s := steps(300, func(s []Step) { s[20].Spin = 2 * time.Millisecond })
		in := func(yield func(Step) bool) {
			for _, x := range s {
				if ahead := taken.Add(1) - yielded.Load(); ahead > int64(window) {
					t.Errorf("%d jobs ahead of the consumer, the window is %d", ahead, window)
				}
				if !yield(x) {
					return
				}
			}
		}
		r := p.runner(Script{Factor: factor}, jobgen.Workers(3), jobgen.Seed(seed), jobgen.Window(window))
		for v, err := range r.Stream(context.Background(), in) {
			if err != nil {
				t.Fatal(err)
			}
			i := int(yielded.Add(1)) - 1
			checkValue(t, i, s[i], v)
		}
		taken.Store(0)
		yielded.Store(0)
		for o := range r.Unordered(context.Background(), in) {
			if o.Err != nil {
				t.Fatal(o.Err)
			}
			yielded.Add(1)
		}
		if n := yielded.Load(); n != int64(len(s)) {
			t.Errorf("%d outcomes, want %d", n, len(s))
		}
	}
}

func streamInputPanics(t *testing.T, p Place) {
	boom := errors.New("the input panics")
	in := func(yield func(Step) bool) {
		for i := range 10 {
			if !yield(Step{Arg: i}) {
				return
			}
		}
		panic(boom)
	}
	r := p.runner(Script{Factor: factor}, jobgen.Workers(2))
	raised := func(f func()) (v any) {
		defer func() { v = recover() }()
		f()
		return nil
	}
	if v := raised(func() {
		for range r.Stream(context.Background(), in) {
		}
	}); v != boom {
		t.Errorf("Stream: the loop panicked with %v, want the input's value", v)
	}
	if v := raised(func() {
		for range r.Unordered(context.Background(), in) {
		}
	}); v != boom {
		t.Errorf("Unordered: the loop panicked with %v, want the input's value", v)
	}
}

func streamTwice(t *testing.T, p Place) {
	s := steps(30, nil)
	all := p.runner(Script{Factor: factor}, jobgen.Workers(2), jobgen.Seed(seed)).Stream(context.Background(), slices.Values(s))
	for range 2 {
		n := 0
		for v, err := range all {
			if err != nil {
				t.Fatal(err)
			}
			checkValue(t, n, s[n], v)
			n++
		}
		if n != len(s) {
			t.Errorf("%d results, want %d", n, len(s))
		}
	}
}

func unordered(t *testing.T, p Place) {
	if p.Serial {
		t.Skip("a stuck job holds up the others")
	}
	// The first job ends only when the consumer has seen all others: it must hold up none.
	s := steps(40, func(s []Step) { s[0].Act = Hold })
	ctx, cancel := context.WithCancelCause(context.Background())
	seen := 0
	for o := range p.runner(Script{Factor: factor}, jobgen.Workers(2), jobgen.Seed(seed), jobgen.Window(8)).Unordered(ctx, slices.Values(s)) {
		if o.Index == -1 {
			if !errors.Is(o.Err, errCause) {
				t.Errorf("the run ended with %v", o.Err)
			}
			continue
		}
		if o.Err != nil {
			t.Errorf("job %d: %v", o.Index, o.Err)
		}
		if seen++; seen == len(s)-1 {
			cancel(errCause)
		}
	}
	if seen < len(s)-1 {
		t.Errorf("%d outcomes while the first job is stuck, want %d", seen, len(s)-1)
	}
	cancel(nil)
}
