//go:build !unix && !windows

package progress

import (
	"io"
	"os"
)

// enableEscapes reports whether the terminal understands escape sequences.
func enableEscapes(int) bool { return true }

func fileWriter(file *os.File) io.Writer { return file }
