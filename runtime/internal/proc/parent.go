package proc

import "os"

// Parent is the process that has started this one, as this one sees it.
type Parent struct {
	In      *Reader
	Out     *Writer
	Control *Reader
	FDs     *os.File // a Unix socket for descriptors; nil where there are none

	areas [2]*Area
}

// Inherited returns the parent. It is called once.
func Inherited() (*Parent, error) {
	files, err := inherited()
	if err != nil {
		return nil, err
	}
	p := &Parent{In: NewReader(files[0]), Out: NewWriter(files[1]), Control: NewReader(files[2])}
	if len(files) > 3 {
		p.FDs = files[3]
	}
	return p, nil
}

// Map maps the memory that the parent says that it has given. It reports false if that is not to be had.
func (p *Parent) Map() bool {
	f := inheritedMemory()
	if f == nil {
		return false
	}
	mem, err := mapShared(f)
	if err != nil {
		f.Close()
		return false
	}
	p.areas[0], p.areas[1] = areas(mem, func(from, n int) error { return backShared(f, from, n) })
	return true
}

// Share begins to use that memory. The parent does so when it hears that, and nothing is under way.
func (p *Parent) Share() {
	p.In.Share(p.areas[0])
	p.Out.Share(p.areas[1])
}
