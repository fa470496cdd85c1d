// Package metrics measures Go source files. It holds the worker of the example gosrc: what is done
// with one file. How the files are spread over workers is in the generated code and the runtime.
package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
)

//go:generate go run github.com/jobgen/jobgen/cmd/jobgen

// Metrics measures Go source files.
//
//jobgen:worker
type Metrics struct {
	// Root is the directory that the paths of the jobs are relative to.
	Root string

	// src is the source of the current file. Each worker has its own copy of Metrics, so no other
	// one writes into it; once it has grown, reading a file allocates nothing.
	src bytes.Buffer
}

// File is what is known of a file.
type File struct {
	Bytes int
	Lines int // counted as an editor numbers them; one without a newline at the end counts, too
	Funcs int // functions and methods, and function literals that stand in no function

	// Peak is the function with the highest complexity, the first one of several; the zero value
	// if the file has no function.
	Peak Func
}

// Func is one function of a file.
type Func struct {
	Name       string // as "(*File).Close"; of a function literal the variable's
	Line       int
	Complexity int
}

// SyntaxError is the error of a file that is not Go. It keeps the first of the parser's complaints.
//
//jobgen:error
type SyntaxError struct {
	Path      string // relative to Root
	Line, Col int
	Msg       string
	More      int // how many further complaints there were; the parser gives up after ten
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Col, e.Msg)
}

// Do reads and parses the file at path and measures it. The error of a file that is not Go is a
// *[SyntaxError].
func (m *Metrics) Do(path string) (File, error) {
	if err := m.read(filepath.Join(m.Root, path)); err != nil {
		return File{}, err
	}
	src := m.src.Bytes()

	// A file set of its own for each file: a shared one would keep the line tables of all of them,
	// and have the workers wait for its lock.
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
	if err != nil {
		return File{}, syntaxError(path, src, err)
	}
	f := File{Bytes: len(src), Lines: bytes.Count(src, []byte("\n"))}
	if len(src) > 0 && src[len(src)-1] != '\n' {
		f.Lines++
	}
	for fn := range functions(file) {
		f.Funcs++
		if c := complexity(fn.node); c > f.Peak.Complexity {
			// Not the line that a //line comment claims.
			line := fset.PositionFor(fn.node.Pos(), false).Line
			f.Peak = Func{Name: fn.name, Line: line, Complexity: c}
		}
	}
	return f, nil
}

// read reads a file into m.src.
func (m *Metrics) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	m.src.Reset()
	_, err = m.src.ReadFrom(f)
	return err
}

// syntaxError is the first of the parser's complaints, at its place in the file itself, whatever a
// //line comment claims.
func syntaxError(path string, src []byte, err error) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return fmt.Errorf("%s: %w", path, err)
	}
	before := src[:min(list[0].Pos.Offset, len(src))]
	return &SyntaxError{
		Path: path,
		Line: bytes.Count(before, []byte("\n")) + 1,
		Col:  len(before) - bytes.LastIndexByte(before, '\n'),
		Msg:  list[0].Msg,
		More: len(list) - 1,
	}
}
