package jobgen

import (
	"strings"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// killedReason is how a process ends that was sent SIGKILL.
const killedReason = "signal: killed"

// guess says more about the death of a process that was not killed by this one, where more can be known: whether
// it was for want of memory.
func (s *processSession) guess(reason, stderr string) string {
	switch {
	case reason == killedReason && proc.MemoryKills() > s.kills:
		return ", out of memory: the kernel has ended a process of this one's group to get some back"
	case reason == killedReason:
		return ", not by jobgen; did it run out of memory?"
	case isOutOfMemory(stderr):
		return ", out of memory"
	}
	return ""
}

// isOutOfMemory reports whether Go's last words are about memory.
func isOutOfMemory(stderr string) bool {
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "fatal error: ") && !strings.HasPrefix(line, "runtime: ") {
			continue
		}
		if strings.Contains(line, "out of memory") || strings.Contains(line, "cannot allocate memory") {
			return true
		}
	}
	return false
}
