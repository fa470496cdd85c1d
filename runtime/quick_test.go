package jobgen

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
)

func TestQuick(t *testing.T) {
	ctx := context.Background()
	in := make([]int, 10000)
	for i := range in {
		in[i] = i
	}
	out, err := Map(ctx, in, func(_ context.Context, i int) (int, error) { return i * 2, nil })
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o != 2*i {
			t.Fatal(i, o)
		}
	}
	boom := errors.New("boom")
	out, err = Map(ctx, in, func(_ context.Context, i int) (int, error) {
		switch i {
		case 700:
			return 1, boom
		case 800:
			panic("oh")
		}
		return i, nil
	})
	t.Log(err)
	_, err = Map(ctx, in, func(_ context.Context, i int) (int, error) {
		switch i {
		case 700:
			return 1, boom
		case 800:
			var m map[string]int
			m["a"] = 1
		case 900:
			runtime.Goexit()
		}
		return i, nil
	}, CollectErrors())
	t.Log(err)
	n := 0
	for v, err := range Stream(ctx, slices.Values(in), func(_ context.Context, i int) (int, error) { return i * 2, nil }) {
		if err != nil || v != 2*n {
			t.Fatal(n, v, err)
		}
		n++
	}
	if n != len(in) {
		t.Fatal(n)
	}
	r := funcRunner(func(_ context.Context, i int) (int, error) { return i * 2, nil }, nil)
	n = 0
	for o := range r.Unordered(ctx, slices.Values(in)) {
		if o.Err != nil || o.Value != 2*o.Index {
			t.Fatal(o)
		}
		n++
	}
	if n != len(in) {
		t.Fatal(n)
	}
	b := r.Batch(ctx)
	for _, x := range in {
		b.Submit(x)
	}
	out, err = b.Wait()
	if err != nil || len(out) != len(in) || out[77] != 154 {
		t.Fatal(err)
	}
}

func BenchmarkMap(b *testing.B) {
	in := make([]int, b.N)
	b.ReportAllocs()
	Map(context.Background(), in, func(_ context.Context, i int) (int, error) { return i * 2, nil })
}

func BenchmarkStream(b *testing.B) {
	in := make([]int, b.N)
	b.ReportAllocs()
	n := 0
	for range Stream(context.Background(), slices.Values(in), func(_ context.Context, i int) (int, error) { return i * 2, nil }) {
		n++
	}
}
