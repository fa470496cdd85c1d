package load

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"sort"

	"golang.org/x/tools/go/packages"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/extract"
)

// Checked is a package type-checked together with its new output.
type Checked struct {
	Input  extract.Input // the user's files, in which names of the output are now resolved
	Output []types.Error // errors in the output: it would not compile
}

// Check type-checks the package with the output in place of the old one, in memory.
func (p *Package) Check(output map[string][]byte) (*Checked, error) {
	var files []*ast.File
	files = append(files, p.files...)
	ours := map[string]bool{}
	paths := make([]string, 0, len(output))
	for path := range output {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		f, err := parser.ParseFile(p.result.Fset, path, output[path], parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("the output cannot be parsed: %w", err)
		}
		files = append(files, f)
		ours[path] = true
	}
	// The packages imported are those that were re-checked with their own output. Where that mixes
	// two versions of one package, the versions that were loaded are tried alone.
	var first *Checked
	for _, regenerated := range []bool{true, false} {
		c, pkg := p.check(files, ours, regenerated)
		if len(c.Output) == 0 {
			p.last = pkg
			return c, nil
		}
		if first == nil {
			first = c
		}
	}
	return first, nil
}

func (p *Package) check(files []*ast.File, ours map[string]bool, regenerated bool) (*Checked, *types.Package) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Scopes: map[ast.Node]*types.Scope{}, Uses: map[*ast.Ident]types.Object{},
	}
	c := &Checked{}
	var errs []types.Error
	conf := types.Config{
		Importer: importer{p, regenerated},
		Sizes:    p.loaded.TypesSizes,
		Error: func(err error) {
			te, ok := err.(types.Error)
			if !ok {
				return
			}
			if name := te.Fset.Position(te.Pos).Filename; ours[name] {
				c.Output = append(c.Output, te)
			} else {
				errs = append(errs, te)
			}
		},
	}
	if m := p.loaded.Module; m != nil && m.GoVersion != "" {
		conf.GoVersion = "go" + m.GoVersion
	}
	pkg, _ := conf.Check(p.Path, p.result.Fset, files, info)
	c.Input = p.input(pkg, info, p.files)
	c.Input.Errors = errs
	return c, pkg
}

// importer finds packages among those that were loaded anyway.
type importer struct {
	p           *Package
	regenerated bool
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if lp := i.p.loaded.Imports[path]; lp != nil && lp.Types != nil {
		return i.version(lp), nil
	}
	if i.p.result.runtime.has(path) {
		return i.p.result.export(path)
	}
	if t := i.p.result.known()[path]; t != nil {
		// Only what some signature mentions is in it, which is all that the output can mention.
		t.MarkComplete()
		return t, nil
	}
	return nil, fmt.Errorf("package %s is not loaded", path)
}

// version is the package as it was re-checked with its output, if it has one.
func (i importer) version(lp *packages.Package) *types.Package {
	if i.regenerated {
		for _, q := range i.p.result.Packages {
			if q.loaded == lp && q.last != nil {
				return q.last
			}
		}
	}
	return lp.Types
}
