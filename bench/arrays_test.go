package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/jobgen/jobgen/sharedmem"
)

// The main rows about arrays as ordinary benchmarks, for benchstat:
//
//	go test ./bench -run '^$' -bench 'Array(At|Set)' -count 10 | benchstat -col /in -

func BenchmarkArrayAt(b *testing.B) {
	benchmarkPasses(b, func(p pass) (_, _ func()) { return p.readSlice, p.readArray })
}

func BenchmarkArraySet(b *testing.B) {
	benchmarkPasses(b, func(p pass) (_, _ func()) { return p.writeSlice, p.writeArray })
}

func benchmarkPasses(b *testing.B, of func(pass) (slice, array func())) {
	var data twins
	data.make(cached)
	defer data.release()
	for _, p := range data.passes(cached) {
		slice, array := of(p)
		for _, in := range []struct {
			name string
			run  func()
		}{{"slice", slice}, {"array", array}} {
			b.Run("loop="+p.name+"/in="+in.name, func(b *testing.B) {
				for b.Loop() {
					in.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(cached.size()), "ns/element")
			})
		}
	}
}

const benchmarkFloats = 1_000_000

// BenchmarkArrayAlloc is the birth of 8 MB in memory that is there, and in memory from the system.
func BenchmarkArrayAlloc(b *testing.B) {
	benchmarkArenas(b, func(a *sharedmem.Arena) {
		fill(need(sharedmem.Alloc[float64](a, benchmarkFloats)).Slice())
	})
}

func BenchmarkArrayCopyOf(b *testing.B) {
	src := numbers(benchmarkFloats)
	benchmarkArenas(b, func(a *sharedmem.Arena) { need(sharedmem.CopyOf(a, src)) })
}

func benchmarkArenas(b *testing.B, make func(*sharedmem.Arena)) {
	once := func() {
		a := newArena()
		make(a)
		check(a.Close())
	}
	b.Run("arena=cold", func(b *testing.B) {
		b.SetBytes(8 * benchmarkFloats)
		for b.Loop() {
			once()
			sharedmem.TrimPool()
		}
	})
	b.Run("arena=pool", func(b *testing.B) {
		b.SetBytes(8 * benchmarkFloats)
		for b.Loop() {
			once()
		}
	})
	b.Run("arena=reset", func(b *testing.B) {
		b.SetBytes(8 * benchmarkFloats)
		a := newArena()
		defer tidy(a)
		for b.Loop() {
			make(a)
			check(a.Reset())
		}
	})
}

// The comparison is fair only if the loops over arrays do what those over slices do.
func TestEqualPasses(t *testing.T) {
	e := cached
	var data twins
	data.make(e)
	defer data.release()
	for _, p := range data.passes(e) {
		p.writeSlice()
		p.writeArray()
		if !slices.Equal(data.slice, data.d1.Slice()) || !slices.Equal(data.ints, data.whole.Slice()) {
			t.Errorf("%s: other elements were written", p.name)
		}
		floatSum, intSum = 0, 0
		p.readSlice()
		floats, ints := floatSum, intSum
		floatSum, intSum = 0, 0
		p.readArray()
		if floats != floatSum || ints != intSum || floats+float64(ints) == 0 {
			t.Errorf("%s: the sums are %v, %v and %v, %v", p.name, floats, ints, floatSum, intSum)
		}
	}
}

func TestThroughGob(t *testing.T) {
	src, dst := numbers(1000), make([]float64, 1000)
	if sent := throughGob(dst, src); sent < 8*len(src) || !slices.Equal(dst, src) {
		t.Errorf("%d bytes were sent, or other numbers", sent)
	}
}

func TestEqualFiles(t *testing.T) {
	want, path := numbers(1000), filepath.Join(t.TempDir(), "numbers.npy")
	writeNPY(path, want)
	for name, load := range map[string]func(string) []float64{"cast": castFile, "converted": convertedFile, "into": readInto} {
		if !slices.Equal(load(path), want) {
			t.Errorf("%s: the numbers differ", name)
		}
	}
	a, err := sharedmem.OpenNPY[float64](path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Slice(), want) {
		t.Error("OpenNPY: the numbers differ")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
