// Package extract reads workers out of a type-checked package: go/ast and go/types in, model out. It
// knows nothing of how the package was loaded, so that the generator and an analysis pass share it.
//
// It judges nothing. What it finds wrong it writes down in the model, for check to report.
package extract

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// Input is a type-checked package.
type Input struct {
	Path, Name, Dir string

	Fset   *token.FileSet
	Files  []*ast.File // without jobgen's own output
	Types  *types.Package
	Info   *types.Info   // Defs, Types and Scopes are read, and Uses where function bodies are
	Errors []types.Error // what the type checker said, to be quoted where a signature suffers from it
	Others []Other       // names declared in the directory's files that are not among Files
}

// Other is a package-level name declared in a file that is not among the package's.
type Other struct {
	Name  string
	Pos   token.Position
	Built bool // a test file that is built together with the package all the same

	Import bool // an import brings the name into the file
}

// Package extracts the model of a package.
func Package(in Input) *model.Package {
	x := &extractor{
		in:    in,
		pkg:   &model.Package{Path: in.Path, Name: in.Name, Dir: in.Dir},
		funcs: map[token.Pos]*ast.FuncDecl{},
		own:   map[*token.File]bool{},
	}
	x.codecs.x, x.codecs.of = x, map[string]*typeutil.Map{}
	for _, f := range in.Files {
		x.own[in.Fset.File(f.FileStart)] = !x.cgoOwn(f)
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok {
				x.funcs[fd.Name.Pos()] = fd
			}
		}
	}
	x.scope()
	for _, f := range in.Files {
		x.file(f)
	}
	for _, l := range x.instantiate {
		x.instance(l)
	}
	return x.pkg
}

type extractor struct {
	in    Input
	pkg   *model.Package
	funcs map[token.Pos]*ast.FuncDecl // by the position of their names
	own   map[*token.File]bool        // files of the user's

	codecs codecs

	instantiate []instantiateLine // read when every worker is known
}

// pos is a position as the user sees it: //line comments are honoured, so that cgo's files map back.
func (x *extractor) pos(p token.Pos) model.Pos {
	at := x.in.Fset.Position(p)
	if !at.IsValid() {
		return model.Pos{}
	}
	return model.Pos{File: at.Filename, Line: at.Line, Col: at.Column, Token: p}
}

// owns says whether a position is in one of the package's files, and not in one that only cgo knows.
func (x *extractor) owns(p token.Pos) bool {
	return p.IsValid() && x.own[x.in.Fset.File(p)]
}

// file extracts the workers and error types of one file.
func (x *extractor) file(f *ast.File) {
	lines := x.directives(f)
	filename := x.in.Fset.Position(f.Package).Filename
	out := outputFor(filename, constraintOf(f), x.external(filename))
	x.codecs.out = out.Base
	for _, l := range lines {
		if l.line.Bad != "" || l.line.Spaced {
			continue
		}
		switch l.line.Verb {
		case "worker":
			if l.second {
				continue
			}
			var w *model.Worker
			switch {
			case l.claim == model.OnType && l.spec != nil:
				w = x.typeWorker(l.spec)
			case l.claim == model.OnFunc && l.fn != nil:
				w = x.funcWorker(l.fn, l.args)
			}
			if w == nil {
				continue
			}
			w.File, w.Output = filename, out
			for _, a := range l.args {
				if a.Key == "remote" && !a.HasValue {
					w.Remote = true
				}
			}
			x.pkg.Workers = append(x.pkg.Workers, w)
		case "error":
			if l.second || l.claim != model.OnType || l.spec == nil {
				continue
			}
			if e := x.errorType(l.spec); e != nil {
				e.Output = out
				x.pkg.Errors = append(x.pkg.Errors, e)
			}
		case "instantiate":
			if l.claim != model.InFunc {
				x.instantiate = append(x.instantiate, instantiateLine{l, f, filename, out})
			}
		}
	}
}

// external says whether a file belongs to a foo_test package.
func (x *extractor) external(filename string) bool {
	return isTestFile(filename) && len(x.in.Name) > 5 && x.in.Name[len(x.in.Name)-5:] == "_test" &&
		x.in.Types != nil && x.in.Types.Name() == x.in.Name && !x.plainFiles()
}

// plainFiles says whether the package has a file that is not a test: then its name ends in _test by
// the user's choice, and its test files are no package of their own.
func (x *extractor) plainFiles() bool {
	for _, f := range x.in.Files {
		if !isTestFile(x.in.Fset.Position(f.Package).Filename) {
			return true
		}
	}
	return false
}

func isTestFile(name string) bool {
	base := filepath.Base(name)
	return len(base) > len("_test.go") && base[len(base)-len("_test.go"):] == "_test.go"
}
