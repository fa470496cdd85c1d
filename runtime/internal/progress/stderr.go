package progress

import (
	"os"
	"sync"

	"golang.org/x/term"
)

// Stderr returns the display that all runs of this process share, on the standard error of the
// first call. It takes part as a terminal when it is one that can erase a line.
var Stderr = sync.OnceValue(func() *Display { return onFile(os.Stderr) })

func onFile(file *os.File) *Display {
	fd := int(file.Fd())
	terminal := term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" && enableEscapes(fd)
	return NewDisplay(fileWriter(file), terminal, func() int {
		width, _, err := term.GetSize(fd)
		if err != nil {
			return defaultWidth
		}
		return width
	})
}
