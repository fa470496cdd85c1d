//go:build linux || darwin || freebsd || netbsd || dragonfly || windows

package mem

import "os"

// MapFile maps the whole of a file, which must not be empty, and takes over f. Changes to a writable
// mapping are changes to the file.
func MapFile(f *os.File, size int, readOnly bool) (*Region, error) {
	r, err := mapRegion(f, size, readOnly)
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}
