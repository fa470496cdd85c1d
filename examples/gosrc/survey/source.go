package survey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Source is the files to measure.
type Source struct {
	root    string   // a directory
	paths   []string // of the files, relative to root, with slashes, in walking order
	trouble []error  // directories that could not be read
	skipped []string // what else is not measured, and why
}

// GoSource finds the source code of the Go installation.
func GoSource(ctx context.Context) (string, error) {
	root := os.Getenv("GOROOT")
	if out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output(); err == nil {
		root = strings.TrimSpace(string(out))
	}
	if root == "" {
		return "", errors.New("no Go installation found: there is no go command in the PATH, and GOROOT is not set.\n" +
			"Give the directory to measure: gosrc some/directory")
	}
	return filepath.Join(root, "src"), nil
}

// List finds the Go files at place, which is a directory or one file.
func List(place string) (*Source, error) {
	info, err := os.Stat(place)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return &Source{root: filepath.Dir(place), paths: []string{filepath.Base(place)}}, nil
	}
	src := &Source{root: place}
	err = filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == place:
			return err // nothing can be measured
		case err != nil:
			src.trouble = append(src.trouble, err)
		case !entry.IsDir():
			src.add(path, entry)
		}
		return nil
	})
	return src, err
}

// add takes up a Go file. What looks like one and is something else is noted.
func (s *Source) add(path string, entry fs.DirEntry) {
	rel, err := filepath.Rel(s.root, path)
	if err != nil {
		rel = path
	}
	rel = filepath.ToSlash(rel)
	kind := entry.Type()
	if kind&fs.ModeSymlink != 0 {
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			s.skipped = append(s.skipped, rel+": a symbolic link to a directory, not followed")
			return
		case err == nil:
			kind = info.Mode().Type()
		default:
			kind = 0 // reading it will say what is wrong
		}
	}
	if filepath.Ext(rel) != ".go" {
		return
	}
	if kind != 0 {
		s.skipped = append(s.skipped, fmt.Sprintf("%s: not a regular file (%v)", rel, kind))
		return
	}
	s.paths = append(s.paths, rel)
}
