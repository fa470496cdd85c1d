//go:build !unix && !windows

package proc

import (
	"errors"
	"net"
	"os"
	"os/exec"
)

func executable() (string, error) { return "", errors.ErrUnsupported }

func inherit(*exec.Cmd, []*os.File) error { return errors.ErrUnsupported }

func inherited() ([]*os.File, error) { return nil, errors.ErrUnsupported }

func inheritedMemory() *os.File { return nil }

func kill(*os.Process) {}

// Exit ends this process with status 0.
func Exit() { os.Exit(0) }

// KillGroup ends this process.
func KillGroup() { os.Exit(1) }

func dump(*os.Process) {}

func socketPair() (ours, theirs *os.File, err error) { return nil, nil, errors.ErrUnsupported }

// SendFile fails: this system has no processes.
func SendFile(*net.UnixConn, any, *os.File, error) error { return errors.ErrUnsupported }

// ReceiveFile fails: this system has no processes.
func ReceiveFile(*net.UnixConn, any) (*os.File, error) { return nil, errors.ErrUnsupported }
