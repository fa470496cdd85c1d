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
	c, pkg := p.check(files, ours)
	if len(c.Output) == 0 {
		p.last, p.output = pkg, files[len(p.files):]
	}
	return c, nil
}

func (p *Package) check(files []*ast.File, ours map[string]bool) (*Checked, *types.Package) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Scopes: map[ast.Node]*types.Scope{}, Uses: map[*ast.Ident]types.Object{},
	}
	c := &Checked{}
	var errs []types.Error
	conf := types.Config{
		Importer: importer{p.result, p.loaded},
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
	conf.GoVersion = goVersion(p.loaded)
	pkg, _ := conf.Check(p.Path, p.result.Fset, files, info)
	c.Input = p.input(pkg, info, p.files)
	c.Input.Errors = errs
	return c, pkg
}

func goVersion(lp *packages.Package) string {
	if m := lp.Module; m != nil && m.GoVersion != "" {
		return "go" + m.GoVersion
	}
	return ""
}
