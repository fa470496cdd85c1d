package sharedmem

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/jobgen/jobgen/sharedmem/internal/npy"
)

// CreateNPY writes an array to a file that numpy.load, and OpenNPY, read. Whoever reads the file
// meanwhile, or after a failure, sees what was there before: it appears in one step. So an array may
// replace the file it was opened from.
//
// An existing file keeps its permissions, and a symbolic link stays one. (On Windows a file that is
// mapped cannot be replaced.) The dtype follows from T as for OpenNPY. A transposed array is written in
// Fortran's order, as it lies; a window is written without what is around it.
func CreateNPY[T any](path string, a Array[T]) error {
	if a.v != nil && a.v.ended != nil {
		return a.v.gone("CreateNPY")
	}
	a.v.live("CreateNPY")
	err := a.v.use("CreateNPY", func() error { return replaceFile(path, a.writeNPY) })
	if err != nil {
		return fmt.Errorf("sharedmem: CreateNPY: %s: %w", path, err)
	}
	return nil
}

// replaceFile has a file written under another name, and gives it its name when it is complete.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	mode := os.FileMode(0o666)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	old, statErr := os.Stat(path)
	if statErr == nil {
		mode = old.Mode().Perm()
	}
	name := fmt.Sprintf(".%s.jobgen-tmp-%016x", filepath.Base(path), rand.Uint64())
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if statErr == nil {
		if err = f.Chmod(mode); err != nil { // the umask is for new files
			return err
		}
	}
	if err = write(f); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (a Array[T]) writeNPY(w io.Writer) error {
	dt, inner, err := npy.DtypeOf(a.v.elem.typ)
	if err != nil {
		return err
	}
	// An array that is transposed is in Fortran's order; one with a single axis of any length would be, too.
	fortran := !a.Contiguous() && len(inner) == 0 && a.T().Contiguous()
	header, err := npy.AppendHeader(nil, dt, fortran, append(a.Shape(), inner...))
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	if fortran {
		a = a.T()
	}
	if a.Contiguous() {
		_, err := w.Write(bytesOf(a.Slice()))
		return err
	}
	return a.writeRuns(w)
}

// writeRuns writes elements that do not lie one after the other.
func (a Array[T]) writeRuns(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<20)
	data, run := a.data(), []T(nil)
	for off, n := range a.v.runs() {
		if a.v.gap() == 1 {
			run = data[off : off+n]
		} else {
			run = run[:0]
			for i := range n {
				run = append(run, data[off+i*a.v.gap()])
			}
		}
		if _, err := out.Write(bytesOf(run)); err != nil {
			return err
		}
	}
	return out.Flush()
}
