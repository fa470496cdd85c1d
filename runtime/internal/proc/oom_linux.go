package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MemoryKills returns how many processes of this one's control group the kernel has ended because memory had
// run out, or -1 where it does not say. It counts in memory.events (version 2 of control groups) or in
// memory.oom_control (version 1).
func MemoryKills() int64 {
	groups, err := os.ReadFile("/proc/self/cgroup") // "4:memory:/path", or "0::/path" in version 2
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		root, file := "/sys/fs/cgroup", "memory.events"
		if controllers != "" {
			root, file = "/sys/fs/cgroup/memory", "memory.oom_control"
		}
		if controllers != "" && controllers != "memory" {
			continue
		}
		// In a container the path may be that of the machine, and the group at the root.
		for _, dir := range []string{filepath.Join(root, path), root} {
			if n := killsIn(filepath.Join(dir, file)); n >= 0 {
				return n
			}
		}
	}
	return -1
}

func killsIn(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
			if n, err := strconv.ParseInt(n, 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}
