package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// header says what was measured, where and when.
func (b *bench) header(w io.Writer) {
	fmt.Fprintf(w, "%s, %d workers, %s, %s/%s, %s\n", cpuModel(), b.cores,
		runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().Format(time.DateOnly))
	fmt.Fprintf(w, "%d rounds", b.rounds)
	if load := firstWord("/proc/loadavg"); load != "" {
		fmt.Fprintf(w, "; load at the start: %s", load)
	}
	fmt.Fprint(w, "\n\n")
}

// cpuModel names the processor, where the system tells.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func firstWord(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	word, _, _ := strings.Cut(string(text), " ")
	return word
}
