package main

import (
	"context"
	"testing"
	"time"
)

// The main rows as ordinary benchmarks, for benchstat:
//
//	go test ./bench -run '^$' -bench 'Map/5_ns' -count 10 | benchstat -col /lib -
//
// Their time is that of a whole run of all jobs; ns/job is the figure to compare.

var benchmarkRows = []struct {
	name   string
	length time.Duration
	n      int
}{
	{"5_ns", 5 * time.Nanosecond, 1_000_000},
	{"1_µs", time.Microsecond, 20_000},
	{"100_µs", 100 * time.Microsecond, 200},
}

func BenchmarkMap(b *testing.B) {
	clock := calibrate()
	for _, row := range benchmarkRows {
		inputs := repeat(clock.turns(row.length), row.n)
		for _, c := range mapContenders() {
			b.Run("job="+row.name+"/lib="+c.name, func(b *testing.B) { perJob(b, c, inputs) })
		}
	}
}

func BenchmarkUneven(b *testing.B) {
	bb := &bench{clock: calibrate(), cores: workers()}
	for _, load := range bb.unevenLoads() {
		for _, c := range mapContenders() {
			b.Run("jobs="+load.name+"/lib="+c.name, func(b *testing.B) { perJob(b, c, load.inputs) })
		}
	}
}

func BenchmarkStream(b *testing.B) {
	clock := calibrate()
	for _, row := range benchmarkRows {
		inputs := repeat(clock.turns(row.length), row.n)
		for _, c := range streamContenders() {
			b.Run("job="+row.name+"/lib="+c.name, func(b *testing.B) { perJob(b, c, inputs) })
		}
	}
}

// BenchmarkCall is what one call with ten tiny jobs costs.
func BenchmarkCall(b *testing.B) {
	inputs := repeat(calibrate().turns(5*time.Nanosecond), 10)
	for _, l := range libraries() {
		b.Run("lib="+l.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = l.mapAll(context.Background(), inputs)
			}
		})
	}
}

func perJob(b *testing.B, c contender, inputs []int) {
	b.ReportAllocs()
	for b.Loop() {
		if err := c.run(inputs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(inputs)), "ns/job")
}
