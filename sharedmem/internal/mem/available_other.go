//go:build !linux

package mem

// Available reports that it does not know.
func Available() (int64, bool) { return 0, false }
