//go:build unix

package progress

import (
	"io"
	"os"
	"syscall"
)

// enableEscapes reports whether the terminal understands escape sequences.
func enableEscapes(int) bool { return true }

// fileWriter writes to file without the habit of package os to end the process with SIGPIPE when
// nobody reads standard error any more: a run must not die of its progress bar.
func fileWriter(file *os.File) io.Writer { return rawFile{file} }

type rawFile struct{ file *os.File }

func (f rawFile) Write(p []byte) (n int, err error) {
	conn, err := f.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failure error
	err = conn.Write(func(fd uintptr) (finished bool) {
		for n < len(p) {
			m, err := syscall.Write(int(fd), p[n:])
			switch {
			case err == syscall.EINTR:
			case err == syscall.EAGAIN:
				return false // called again when there is room
			case err != nil:
				failure = err
				return true
			case m == 0:
				failure = io.ErrShortWrite
				return true
			default:
				n += m
			}
		}
		return true
	})
	if failure != nil {
		err = failure
	}
	return n, err
}
