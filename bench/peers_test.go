package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The comparison is fair only if all do the same.
func TestEqualResults(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 100, 3000} {
		inputs := make([]int, n)
		for i := range inputs {
			inputs[i] = rng.IntN(2000)
		}
		want, err := serialMap(t.Context(), inputs)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range libraries() {
			t.Run(fmt.Sprintf("map/%s/%d", l.name, n), func(t *testing.T) {
				got, err := l.mapAll(t.Context(), inputs)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("results differ from the serial loop's (error: %v)", err)
				}
			})
		}
		for _, l := range streamLibraries() {
			t.Run(fmt.Sprintf("stream/%s/%d", l.name, n), func(t *testing.T) {
				var got []uint64
				err := l.each(t.Context(), inputs, func(v uint64) { got = append(got, v) })
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("results differ from the serial loop's (error: %v)", err)
				}
			})
		}
	}
}

func TestErrors(t *testing.T) {
	inputs := repeat(100, 500)
	inputs[200] = -1
	for _, l := range libraries() {
		if l.fails {
			t.Run("map/"+l.name, func(t *testing.T) {
				if _, err := l.mapAll(t.Context(), inputs); !errors.Is(err, errJob) {
					t.Errorf("the error is %v, not the job's", err)
				}
			})
		}
	}
	for _, l := range streamLibraries() {
		t.Run("stream/"+l.name, func(t *testing.T) {
			if err := l.each(t.Context(), inputs, func(uint64) {}); !errors.Is(err, errJob) {
				t.Errorf("the error is %v, not the job's", err)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	b := &bench{clock: calibrate(), cores: workers()}
	inputs := repeat(b.clock.turns(100*time.Microsecond), 100_000) // some seconds
	for _, l := range quitters() {
		t.Run(l.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, err := l.mapAll(ctx, inputs); err == nil {
				t.Error("no error although the map was cancelled")
			}
		})
	}
}

func TestIdeal(t *testing.T) {
	c := clockwork{few: []float64{0}, perTurn: 1}
	if got := c.ideal(100, repeat(100, 10), 2); got != 50 {
		t.Errorf("equal jobs: %v, want half of the serial time", got)
	}
	if got := c.ideal(100, []int{700, 100, 100, 100}, 2); got != 70 {
		t.Errorf("one long job: %v, want its share of the serial time", got)
	}
}

// The program itself is tested by running all of it.
func TestQuick(t *testing.T) {
	b := &bench{rounds: 1, quick: true, cores: workers(), clock: calibrate()}
	b.header(t.Output())
	for _, s := range sections {
		tables := s.run(b)
		if len(tables) == 0 {
			t.Errorf("section %s has no tables", s.name)
		}
		for _, table := range tables {
			if len(table.rows) == 0 {
				t.Errorf("table %q is empty", table.title)
			}
			table.print(t.Output(), true)
		}
	}
}
