package mem

import (
	"bytes"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Available returns how many bytes can be taken without swapping, or without exceeding the limit of the control
// group that this process is in, and false if the system does not tell.
func Available() (int64, bool) {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	n, ok := memAvailable(info)
	if limit, limited := groupHeadroom("/sys/fs/cgroup", "/proc/self/cgroup"); limited {
		n, ok = min(n, limit), true
	}
	return n, ok
}

// memAvailable reads the line "MemAvailable: 123 kB" of /proc/meminfo (proc_meminfo(5)).
func memAvailable(info []byte) (int64, bool) {
	for line := range bytes.Lines(info) {
		rest, ok := bytes.CutPrefix(line, []byte("MemAvailable:"))
		if !ok {
			continue
		}
		text, ok := strings.CutSuffix(strings.TrimSpace(string(rest)), " kB")
		kB, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		return kB * 1024, ok && err == nil && kB < math.MaxInt64/1024
	}
	return math.MaxInt64, false
}

// groupHeadroom returns the least that any of the control groups around this process has left:
// memory.max less memory.current (cgroup v2, Documentation/admin-guide/cgroup-v2.rst). What the kernel
// could drop, file pages that are not in use, counts as left.
func groupHeadroom(root, self string) (least int64, limited bool) {
	text, err := os.ReadFile(self)
	if err != nil {
		return 0, false
	}
	group, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "0::")
	if !ok || strings.Contains(group, "\n") {
		return 0, false // version 1, or both
	}
	least = math.MaxInt64
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		limit, ok1 := readNumber(root + dir + "/memory.max")
		used, ok2 := readNumber(root + dir + "/memory.current")
		if ok1 && ok2 {
			least, limited = min(least, max(limit-used+inactive(root+dir+"/memory.stat"), 0)), true
		}
		if dir == "/" {
			return least, limited
		}
	}
}

func readNumber(file string) (int64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max": no limit
	return n, err == nil
}

func inactive(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("inactive_file ")); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(string(rest)), 10, 64)
			return max(n, 0)
		}
	}
	return 0
}
