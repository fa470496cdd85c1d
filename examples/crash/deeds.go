package main

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
)

// deed is what a culprit does.
type deed struct {
	name string
	do   func() error
	kind string // of its error
}

// deeds are in the order of the report.
var deeds = append([]deed{
	{"exited with status 3", func() error { os.Exit(3); return nil }, lost},
	{"exited with status 0", func() error { os.Exit(0); return nil }, lost},
	{"recursed without end", func() error { recurse([frame]byte{}, 0); return nil }, lost},
	{"panicked in a goroutine", goroutinePanic, lost},
	{"wrote to a map concurrently", writeConcurrently, lost},
	{"was killed by the system", killed, lost},
	{"never returned", spin, late},
	{"panicked", writeToNil, panicked},
	{"returned an error", func() error { return errors.New("this job has no result") }, failed},
}, leaks...)

// atHome says that this is the process of the user, where a culprit must do nothing.
var atHome atomic.Bool

// commit does the deed of that name.
func commit(name string) error {
	if atHome.Load() {
		return errors.New("it would have ended the program itself")
	}
	for _, d := range deeds {
		if d.name == name {
			return d.do()
		}
	}
	return errors.New("there is no such deed")
}

// frame makes the stack grow by a lot with each call. With millions of small frames Go would take most of a
// second to print the few that it prints.
const frame = 16 << 10

// recurse has a way out that it never takes: without one, linters would complain.
func recurse(b [frame]byte, depth int) byte {
	if depth < 0 {
		return b[0]
	}
	return recurse(b, depth+1) + b[1]
}

// goroutinePanic panics where nobody can recover it but the goroutine itself.
func goroutinePanic() error {
	go func() { _ = writeToNil() }()
	select {}
}

func writeToNil() error {
	noMap()["a"] = 1
	return nil
}

func noMap() map[string]int { return nil }

// writeConcurrently goes on until the runtime notices, which it does not promise to do at once.
func writeConcurrently() error {
	runtime.GOMAXPROCS(4) // this process may have been given one processor only
	m := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				m[i%10] = i
			}
		}()
	}
	select {}
}

// killed does to this process what Linux does to one when memory runs out.
func killed() error {
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := p.Kill(); err != nil {
		return err
	}
	select {}
}

// spin computes without ever asking whether it should stop.
func spin() error {
	for n := 0; ; {
		n += primesBelow(1000)
	}
}
