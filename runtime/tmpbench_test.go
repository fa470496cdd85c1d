package jobgen_test

import (
	"context"
	"slices"
	"testing"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

func BenchmarkStream5ns(b *testing.B) {
	in := numbers(1000000)
	b.ReportAllocs()
	for b.Loop() {
		for range jobgen.Stream(context.Background(), slices.Values(in), double) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/job")
}

func BenchmarkMap5ns(b *testing.B) {
	in := numbers(1000000)
	b.ReportAllocs()
	for b.Loop() {
		jobgen.Map(context.Background(), in, double)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/job")
}

func BenchmarkMap10(b *testing.B) {
	in := numbers(10)
	b.ReportAllocs()
	for b.Loop() {
		jobgen.Map(context.Background(), in, double)
	}
}

func BenchmarkFirst1ms(b *testing.B) {
	in := numbers(100)
	for b.Loop() {
		for range jobgen.Stream(context.Background(), slices.Values(in), func(_ context.Context, i int) (int, error) {
			for t := time.Now(); time.Since(t) < time.Millisecond; {
			}
			return i, nil
		}) {
			break
		}
	}
}

func BenchmarkFirst1us(b *testing.B) {
	in := numbers(100)
	for b.Loop() {
		for range jobgen.Stream(context.Background(), slices.Values(in), func(_ context.Context, i int) (int, error) {
			for t := time.Now(); time.Since(t) < time.Microsecond; {
			}
			return i, nil
		}) {
			break
		}
	}
}
