package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// apply makes the change. On failure the old file is as it was.
func (c change) apply() *model.Diagnostic {
	var err error
	if c.want == nil {
		err = os.Remove(c.path)
	} else {
		err = writeFile(c.path, c.want)
	}
	if err == nil {
		return nil
	}
	return &model.Diagnostic{Code: model.CannotWrite, Pos: model.Pos{File: c.path}, Message: plain(err)}
}

// tempMark is part of the names of temporary files. They start with a dot, so that no go command reads one
// that an interrupted run has left behind.
const tempMark = ".jobgen-tmp-"

// writeFile replaces a file in one step: a reader, or a crash, sees the old content or the new.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempMark+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	// CreateTemp makes files that only the owner can read.
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// leftoverAge is how old a temporary file is when no run can still be about to rename it.
const leftoverAge = time.Minute

// removeLeftovers removes what interrupted runs have left in a directory.
func removeLeftovers(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempMark) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftoverAge {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// plain is an error without the names of our temporary files.
func plain(err error) string {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return "cannot " + pe.Op + " it: " + pe.Err.Error()
	case errors.As(err, &le):
		return "cannot write it: " + le.Err.Error()
	}
	return err.Error()
}
