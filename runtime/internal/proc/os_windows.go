package proc

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

func executable() (string, error) { return os.Executable() }

// handlesVariable tells the child which handles it has inherited.
const handlesVariable = "JOBGEN_HANDLES"

func inherit(cmd *exec.Cmd, files []*os.File) error {
	var list []string
	var handles []syscall.Handle
	for _, f := range files {
		h := windows.Handle(f.Fd())
		if err := windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT); err != nil {
			return err
		}
		handles = append(handles, syscall.Handle(h))
		list = append(list, strconv.FormatUint(uint64(h), 10))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		AdditionalInheritedHandles: handles,
		CreationFlags:              windows.CREATE_NEW_PROCESS_GROUP,
	}
	cmd.Env = append(cmd.Env, handlesVariable+"="+strings.Join(list, ","))
	return nil
}

// inherited returns the files that the parent has given: input, output and control. It is called once.
func inherited() ([]*os.File, error) {
	list := strings.Split(os.Getenv(handlesVariable), ",")
	os.Unsetenv(handlesVariable)
	if len(list) < 3 {
		return nil, errors.New("no handles were inherited: was this process started by jobgen?")
	}
	files := make([]*os.File, 3)
	for i := range files {
		h, err := strconv.ParseUint(list[i], 10, 64)
		if err != nil {
			return nil, err
		}
		_ = windows.SetHandleInformation(windows.Handle(h), windows.HANDLE_FLAG_INHERIT, 0)
		files[i] = os.NewFile(uintptr(h), fmt.Sprintf("handle%d", h))
	}
	return files, nil
}

func inheritedMemory() *os.File { return nil }

func kill(p *os.Process) { _ = p.Kill() }

// Exit ends this process with status 0.
func Exit() { os.Exit(0) }

// KillGroup ends this process.
func KillGroup() { os.Exit(1) }

func dump(p *os.Process) { _ = p.Kill() }

func socketPair() (ours, theirs *os.File, err error) { return nil, nil, errors.ErrUnsupported }

// SendFile fails: handles are not sent on this system.
func SendFile(*net.UnixConn, any, *os.File, error) error { return errors.ErrUnsupported }

// ReceiveFile fails: handles are not sent on this system.
func ReceiveFile(*net.UnixConn, any) (*os.File, error) { return nil, errors.ErrUnsupported }
