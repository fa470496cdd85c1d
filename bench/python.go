package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed pools.py
var poolsScript []byte

// absent is the time of what is not installed.
const absent = -1 * time.Second

// pythons are the rows of Python in a table. A smoke test has time for one.
func (b *bench) pythons(ways ...way) []way { return ways[:b.scale(len(ways), 1)] }

// python is what pools.py measures, in a process of its own for each sample. Python's own start does not count.
func (b *bench) python(row, what string, jobs int) way {
	return way{row, jobs, func() time.Duration {
		interpreter, err := exec.LookPath("python3")
		if err != nil {
			return absent
		}
		// A file, and not -c, because a spawned child has to import it.
		dir := need(os.MkdirTemp("", "bench"))
		defer os.RemoveAll(dir)
		script := filepath.Join(dir, "pools.py")
		check(os.WriteFile(script, poolsScript, 0o600))
		return b.told(exec.Command(interpreter, script, what, fmt.Sprint(jobs), fmt.Sprint(b.cores), fmt.Sprint(b.scale(3, 1))), jobs)
	}}
}

// told is the median of the times per job that a program prints, for all jobs; or absent.
func (b *bench) told(cmd *exec.Cmd, jobs int) time.Duration {
	cmd.Stderr = os.Stderr
	text := string(need(cmd.Output()))
	if strings.TrimSpace(text) == "not installed" {
		return absent
	}
	var times []float64
	for _, line := range strings.Fields(text) {
		times = append(times, need(strconv.ParseFloat(line, 64)))
	}
	return time.Duration(median(times) * float64(jobs))
}
