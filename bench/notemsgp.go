package main

import "time"

// The note once more, for msgp: jobgen would call the methods that its generator writes, were they those of note.
// To write them again:
//
//	go run github.com/tinylib/msgp@v1.6.5 -file notemsgp.go -o notemsgp_gen.go -tests=false -io=false -unexported

//msgp:tuple noteMsgp placeMsgp

type noteMsgp struct {
	Data   []float64
	Name   string
	When   time.Time
	Counts map[string]int
	Where  placeMsgp
}

type placeMsgp struct {
	X, Y float64
	Tag  string
}

func (v note) forMsgp() noteMsgp {
	return noteMsgp{v.Data, v.Name, v.When, v.Counts, placeMsgp(v.Where)}
}

func (v noteMsgp) note() note {
	return note{v.Data, v.Name, v.When, v.Counts, place(v.Where)}
}
