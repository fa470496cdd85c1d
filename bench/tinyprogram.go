package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// tinyDir is the directory of the program that tinyProgram has built, or empty. main removes it.
var tinyDir string

// tinyProgram builds the program in the directory tiny, once, and returns its path.
var tinyProgram = sync.OnceValue(func() string {
	tinyDir = need(os.MkdirTemp("", "bench"))
	path := filepath.Join(tinyDir, "tiny")
	build := exec.Command("go", "build", "-o", path, "github.com/jobgen/jobgen/bench/tiny")
	build.Stderr = os.Stderr
	check(build.Run())
	return path
})

// tiny is what that program measures, in a process of its own for each sample. Its own start does not count.
func (b *bench) tiny(row, what string, jobs, workers int) way {
	return way{row, jobs, func() time.Duration {
		return b.told(exec.Command(tinyProgram(), what, fmt.Sprint(jobs), fmt.Sprint(workers), fmt.Sprint(b.scale(3, 1))), jobs)
	}}
}
