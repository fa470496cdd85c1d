package proc

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe can hold; a larger one means fewer switches between the processes.
const pipeSize = 1 << 20

func widen(f *os.File) {
	conn, err := f.SyscallConn() // Fd would make it block, and a goroutine that waits for it take a processor's place
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
}

// PreferToDie has the kernel end this process rather than its parent when memory runs out
// (proc_pid_oom_score_adj(5)).
func PreferToDie() { _ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0) }

// CanLimitMemory says whether LimitMemory does. The race detector takes more memory than it is worth to limit.
const CanLimitMemory = !raceEnabled

// LimitMemory limits the data of this process to bytes. RLIMIT_DATA counts private memory that can be
// written (Linux 4.7), and not what is shared, as RLIMIT_AS would.
func LimitMemory(bytes int64) error {
	return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)})
}

// killOrphans waits for the end of a child, and then ends the processes that it has started and left behind.
// The child is not taken away before: it keeps the number of its group from being another one's
// (waitid(2), WNOWAIT).
func killOrphans(p *os.Process) {
	var err error = unix.EINTR
	for err == unix.EINTR {
		err = unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	}
	if err == nil {
		_ = unix.Kill(-p.Pid, unix.SIGKILL)
	}
}

// NameProcess is what ps shows: it would be "exe", of /proc/self/exe (proc_pid_comm(5)).
func NameProcess(name string) { _ = os.WriteFile("/proc/self/comm", []byte(name), 0) }
