package load

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

// importer finds packages among those that were loaded anyway, for one that imports them or whose output does.
type importer struct {
	result *Result
	of     *packages.Package
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if lp := i.of.Imports[path]; lp != nil && lp.Types != nil {
		return i.result.version(lp), nil
	}
	// The output also names types of packages that are imported by those the package imports.
	if lp := imported(i.of, path, map[*packages.Package]bool{}); lp != nil && lp.Types != nil && lp.Types.Complete() {
		return i.result.version(lp), nil
	}
	if i.result.runtime.has(path) {
		return i.result.export(path)
	}
	i.result.readRuntime()
	if t := i.result.known()[path]; t != nil {
		// Only what some signature mentions is in it, which is all that the output can mention.
		t.MarkComplete()
		return t, nil
	}
	return nil, fmt.Errorf("package %s is not loaded", path)
}

// imported finds a package among all that another one imports, directly or not.
func imported(by *packages.Package, path string, seen map[*packages.Package]bool) *packages.Package {
	if seen[by] {
		return nil
	}
	seen[by] = true
	for _, lp := range by.Imports {
		if lp.PkgPath == path {
			return lp
		}
		if found := imported(lp, path, seen); found != nil {
			return found
		}
	}
	return nil
}

// version is a package with the new output of itself and of all that it imports. A package that
// imports, however indirectly, one with new output has to be checked again even if it has none itself: what it
// declares would otherwise be made of types that are not those which others see. All that has no part in any output
// stays as it was loaded.
func (r *Result) version(lp *packages.Package) *types.Package {
	if t := r.versions[lp]; t != nil {
		return t
	}
	r.versions[lp] = lp.Types
	var output []*ast.File
	for _, q := range r.Packages {
		if q.loaded == lp && q.last != nil {
			r.versions[lp] = q.last
			return q.last
		}
		if q.Path == lp.PkgPath {
			output = r.untested(q.output) // of the same package, with or without tests
		}
	}
	again := len(output) > 0
	for _, imp := range lp.Imports {
		again = r.version(imp) != imp.Types || again
	}
	if !again || len(lp.Syntax) == 0 {
		return lp.Types
	}
	conf := types.Config{
		Importer: importer{r, lp}, Sizes: lp.TypesSizes, GoVersion: goVersion(lp),
		IgnoreFuncBodies: true,
		Error:            func(error) {}, // what is wrong shows where it is used
	}
	t, _ := conf.Check(lp.PkgPath, r.Fset, append(append([]*ast.File{}, lp.Syntax...), output...), nil)
	r.versions[lp] = t
	return t
}

// Renew makes what was generated last count for packages that were seen without it.
func (r *Result) Renew() { clear(r.versions) }

// untested is those files that are built without tests, too.
func (r *Result) untested(files []*ast.File) []*ast.File {
	var out []*ast.File
	for _, f := range files {
		if !strings.HasSuffix(r.Fset.Position(f.Package).Filename, "_test.go") {
			out = append(out, f)
		}
	}
	return out
}
