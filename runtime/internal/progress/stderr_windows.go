package progress

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// enableEscapes makes a console understand escape sequences, which not every one does unasked, and
// reports whether it does.
func enableEscapes(fd int) bool {
	console := windows.Handle(fd)
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

func fileWriter(file *os.File) io.Writer { return file }
