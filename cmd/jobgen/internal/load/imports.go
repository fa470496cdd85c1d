package load

import (
	"path"
	"strconv"
)

// ImportPath is the path of the package that a name stands for in one of the package's files; "" if there is none.
func (p *Package) ImportPath(file, name string) string {
	for _, f := range p.files {
		if p.result.Fset.Position(f.Package).Filename != file {
			continue
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			called := path.Base(imported)
			if lp := p.loaded.Imports[imported]; lp != nil {
				imported, called = lp.PkgPath, lp.Name
			}
			if spec.Name != nil {
				called = spec.Name.Name
			}
			if called == name {
				return imported
			}
		}
	}
	return ""
}
