package main

import (
	"bytes"
	"encoding/gob"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// handovers compares ways to make an array known to somebody else: a handle, and the elements
// themselves.
func handovers(b *bench) *table {
	n := b.manyFloats()
	t := &table{
		title: "A handover of " + bytesText(8*n) + " of random float64",
		head:  []string{"", "time", "/ handle", "bytes"},
		notes: []string{
			"Encoding and decoding, in one process. No pipe or socket is in it, which would add to what is many bytes. The copy is one, into memory that was touched. gob decodes into such memory, too, and has the numbers in ten messages.",
			"Another process has to attach a segment first, once.",
		},
	}
	var (
		arena    *sharedmem.Arena
		array    sharedmem.Array[float64]
		src, dst []float64
		sent     = map[string]int{}
	)
	calls := b.scale(1000, 10)
	const handle, plain, gobbed = "handle: AppendBinary, UnmarshalBinary", "copy", "encoding/gob"
	ways := []way{
		{handle, calls, func() time.Duration {
			return clocked(func() {
				var buf []byte
				for range calls {
					var got sharedmem.Array[float64]
					buf = need(array.AppendBinary(buf[:0]))
					check(got.UnmarshalBinary(buf))
				}
				sent[handle] = len(buf)
			})
		}},
		{plain, 1, func() time.Duration {
			sent[plain] = 8 * n
			return clocked(func() { copy(dst, src) })
		}},
		{gobbed, 1, func() time.Duration {
			return clocked(func() { sent[gobbed] = throughGob(dst, src) })
		}},
	}
	if b.asks(ways) {
		src, dst, arena = numbers(n), numbers(n), newArena()
		array = need(sharedmem.Alloc[float64](arena, n/100, 100))
		b.against(t, "handover", ways, 1, func(r *result) string { return sizeOf(sent[r.name]) })
		tidy(arena)
	}
	return t
}

// throughGob encodes src and decodes it into dst, and returns how many bytes that made. It does so in ten messages, as one
// would take several times the memory, and longer.
func throughGob(dst, src []float64) (sent int) {
	var buf bytes.Buffer
	enc, dec := gob.NewEncoder(&buf), gob.NewDecoder(&buf)
	for part := range slices.Chunk(src, len(src)/10) {
		check(enc.Encode(part))
		sent += buf.Len()
		got := dst[:len(part)]
		check(dec.Decode(&got))
		dst = dst[len(part):]
	}
	return sent
}

// numbers returns n random numbers, of which gob cannot leave out any byte.
func numbers(n int) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	s := make([]float64, n)
	for i := range s {
		s[i] = rng.Float64()
	}
	return s
}
