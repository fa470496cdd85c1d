//go:build unix

package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable is what to start: on Linux the very file that runs, also when it was replaced or removed since.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		if _, err := os.Stat("/proc/self/exe"); err == nil {
			return "/proc/self/exe", nil
		}
	}
	return os.Executable()
}

// inherit gives the child files, as descriptors from 3 on.
func inherit(cmd *exec.Cmd, files []*os.File) error {
	cmd.ExtraFiles = files
	// A group of its own: Ctrl-C reaches this process only, which then tells the child; and the
	// child's own children can be killed with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return nil
}

// The first descriptors that a child inherits, in the order of Process.connect.
const (
	firstFD = 3 + iota // input
	_                  // output
	_                  // control
	socketFD
	memoryFD
)

// inherited returns the files that the parent has given: input, output, control, and the socket for descriptors, if there is
// one. It is called once.
func inherited() ([]*os.File, error) {
	var files []*os.File
	for fd := firstFD; fd <= socketFD; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			if fd == socketFD {
				break
			}
			return nil, fmt.Errorf("descriptor %d is not open: was this process started by jobgen?", fd)
		}
		syscall.CloseOnExec(fd) // it is not for the processes that jobs start
		_ = syscall.SetNonblock(fd, true)
		files = append(files, os.NewFile(uintptr(fd), fmt.Sprintf("fd%d", fd)))
	}
	return files, nil
}

// inheritedMemory is the file of the areas, if the parent has given one.
func inheritedMemory() *os.File {
	syscall.CloseOnExec(memoryFD)
	return os.NewFile(memoryFD, "frames")
}

func kill(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	_ = p.Kill()
}

// KillGroup ends this process and those that its jobs have started.
func KillGroup() {
	if unix.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
	os.Exit(1)
}

// Exit ends this process with status 0. Under the race detector it takes a way around that one's
// second of sleep (atexit_sleep_ms).
func Exit() {
	if raceEnabled {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	os.Exit(0)
}

func dump(p *os.Process) { _ = p.Signal(syscall.SIGQUIT) }

func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock() // so that no child that is being started inherits them
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "descriptors"), os.NewFile(uintptr(fds[1]), "descriptors"), nil
}

// SendFile answers a request for a file: with it and something about it, or with an error.
func SendFile(c *net.UnixConn, about any, f *os.File, failure error) error {
	reply := fileReply{}
	var rights []byte
	if failure != nil {
		reply.Error = failure.Error()
	} else {
		text, err := json.Marshal(about)
		if err != nil {
			return err
		}
		reply.About = text
		rights = unix.UnixRights(int(f.Fd()))
	}
	text, err := json.Marshal(reply)
	if err != nil {
		return err
	}
	_, _, err = c.WriteMsgUnix(text, rights, nil)
	return err
}

// ReceiveFile takes the answer.
func ReceiveFile(c *net.UnixConn, about any) (*os.File, error) {
	text, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := c.ReadMsgUnix(text, oob)
	if err != nil {
		return nil, err
	}
	var reply fileReply
	if err := json.Unmarshal(text[:n], &reply); err != nil {
		return nil, err
	}
	if reply.Error != "" {
		return nil, errors.New(reply.Error)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		return nil, errors.New("the parent has sent no descriptor")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("the parent has sent no descriptor")
	}
	syscall.CloseOnExec(fds[0])
	return os.NewFile(uintptr(fds[0]), "received"), json.Unmarshal(reply.About, about)
}

type fileReply struct {
	Error string          `json:",omitempty"`
	About json.RawMessage `json:",omitempty"`
}
