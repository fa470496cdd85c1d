package main

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"github.com/jobgen/jobgen/sharedmem"
)

// files compares ways to get at the numbers of a .npy file that the system has in memory.
func files(b *bench) *table {
	n := b.manyFloats()
	t := &table{
		title: "A .npy file of " + bytesText(8*n) + " in the page cache: to open it and add all up",
		head:  []string{"", "time", "/ OpenNPY"},
		notes: []string{"The time contains Close. The slices are made in warm memory (see the birth of an array), which is the better case for them. cast: the bytes are taken for numbers as they are. converted: by encoding/binary, into another slice."},
	}
	var path string
	var slice []float64
	read := func(load func(path string) []float64) func() time.Duration {
		return func() time.Duration {
			load(path)
			runtime.GC()
			return clocked(func() { floatSum = sumSlice1[[1]byte](load(path), n) })
		}
	}
	ways := []way{
		{"OpenNPY", 1, func() time.Duration {
			return clocked(func() {
				a := need(sharedmem.OpenNPY[float64](path))
				floatSum = sumSlice1[[1]byte](a.Slice(), n)
				check(a.Close())
			})
		}},
		{"OpenNPY, and nothing is added up", 1, func() time.Duration {
			return clocked(func() { check(need(sharedmem.OpenNPY[float64](path)).Close()) })
		}},
		{"os.ReadFile, cast", 1, read(castFile)},
		{"os.ReadFile, converted", 1, read(convertedFile)},
		{"io.ReadFull into a slice", 1, read(readInto)},
		{"no file: a slice is added up", 1, func() time.Duration {
			return clocked(func() { floatSum = sumSlice1[[1]byte](slice, n) })
		}},
	}
	if b.asks(ways) {
		dir := need(os.MkdirTemp("", "jobgen-bench-"))
		defer os.RemoveAll(dir)
		path, slice = filepath.Join(dir, "numbers.npy"), numbers(n)
		writeNPY(path, slice)
		b.against(t, "npy", ways, 1, nil)
		tidy()
	}
	return t
}

// writeNPY writes a file, and waits for the disk, so that it is not busy later on.
func writeNPY(path string, s []float64) {
	arena := newArena()
	check(sharedmem.CreateNPY(path, need(sharedmem.CopyOf(arena, s))))
	tidy(arena)
	f := need(os.OpenFile(path, os.O_RDWR, 0))
	check(f.Sync())
	check(f.Close())
}

// npyStart returns where the data begin in a file of version 1, whose header has its length at byte 8.
func npyStart(header []byte) int { return 10 + int(binary.LittleEndian.Uint16(header[8:])) }

// castFile reads numbers that are in the machine's order already.
func castFile(path string) []float64 {
	text := need(os.ReadFile(path))
	data := text[npyStart(text):]
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/8)
}

func convertedFile(path string) []float64 {
	text := need(os.ReadFile(path))
	data := text[npyStart(text):]
	s := make([]float64, len(data)/8)
	for i := range s {
		s[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return s
}

// readInto saves the memory and the time of a copy.
func readInto(path string) []float64 {
	f := need(os.Open(path))
	defer f.Close()
	start := make([]byte, 10)
	need(io.ReadFull(f, start))
	at := need(f.Seek(int64(npyStart(start)), io.SeekStart))
	s := make([]float64, (need(f.Stat()).Size()-at)/8)
	need(io.ReadFull(f, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 8*len(s))))
	return s
}
