package main

import "time"

// note is what codecs encode. The generator writes functions for it because Note takes one.
type note struct {
	Data   []float64
	Name   string
	When   time.Time
	Counts map[string]int
	Where  place
}

type place struct {
	X, Y float64
	Tag  string
}

// Note is a worker that is given a note. It is never run: only its codec is measured.
//
//jobgen:worker
func Note(n note) int { return len(n.Data) }

func makeNote(n int) note {
	v := note{
		Data: make([]float64, n), Name: "a note", When: time.Unix(1e9, 1),
		Counts: map[string]int{"one": 1, "two": 2, "three": 3}, Where: place{1, 2, "here"},
	}
	for i := range v.Data {
		v.Data[i] = 1 / float64(i+1)
	}
	return v
}
