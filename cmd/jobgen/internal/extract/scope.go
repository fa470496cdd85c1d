package extract

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"strconv"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// scope collects the names that the output must not declare, and those it must not import under.
func (x *extractor) scope() {
	scope := map[string]model.Pos{}
	add := func(name string, at token.Pos) {
		if _, ok := scope[name]; !ok && name != "_" && name != "." && name != "" {
			scope[name] = x.pos(at)
		}
	}
	for _, f := range x.in.Files {
		for name, at := range declared(f) {
			add(name, at)
		}
		if s := x.in.Info.Scopes[f]; s != nil {
			for _, name := range s.Names() {
				at := f.Name.Pos()
				if o := s.Lookup(name); o != nil && x.owns(o.Pos()) {
					at = o.Pos()
				}
				add(name, at)
			}
		}
	}
	x.pkg.Scope = scope
	x.pkg.Shadowed = map[string]model.Pos{}
	for _, f := range x.in.Files {
		for name, at := range declared(f) {
			if types.Universe.Lookup(name) != nil {
				x.pkg.Shadowed[name] = x.pos(at)
			}
		}
	}
	for _, o := range x.in.Others {
		if o.Import {
			continue
		}
		pos := model.Pos{File: o.Pos.Filename, Line: o.Pos.Line, Col: o.Pos.Column}
		if _, ok := x.pkg.Shadowed[o.Name]; !ok && types.Universe.Lookup(o.Name) != nil {
			x.pkg.Shadowed[o.Name] = pos
		}
		if _, ok := scope[o.Name]; !ok && o.Built {
			scope[o.Name] = pos
		}
	}
	x.reserve()
	x.declaredMethods()
}

// reserve collects the names that the output's helpers and imports must not have.
func (x *extractor) reserve() {
	x.pkg.Reserved, x.pkg.Imported = map[string]bool{}, map[string]bool{}
	for _, f := range x.in.Files {
		for name := range declared(f) {
			x.pkg.Reserved[name] = true
		}
		for _, name := range imported(f) {
			x.pkg.Imported[name] = true
		}
		if s := x.in.Info.Scopes[f]; s != nil {
			for _, name := range s.Names() {
				x.pkg.Imported[name] = true
			}
		}
	}
	for _, o := range x.in.Others {
		if o.Import {
			x.pkg.Imported[o.Name] = true
		} else {
			x.pkg.Reserved[o.Name] = true
		}
	}
}

// declaredMethods finds the methods that the package declares, also those of types that are generated.
func (x *extractor) declaredMethods() {
	x.pkg.Methods = map[string]map[string]model.Pos{}
	for _, f := range x.in.Files {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Recv == nil || len(fd.Recv.List) == 0 {
				continue
			}
			typ := receiver(fd.Recv.List[0].Type)
			if x.pkg.Methods[typ] == nil {
				x.pkg.Methods[typ] = map[string]model.Pos{}
			}
			x.pkg.Methods[typ][fd.Name.Name] = x.pos(fd.Name.Pos())
		}
	}
}

// receiver is the name of the type in a receiver: X in *X and X[T].
func receiver(e ast.Expr) string {
	for {
		switch t := e.(type) {
		case *ast.ParenExpr:
			e = t.X
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// imported lists the names that a file gives its imports itself, or that their paths suggest.
func imported(f *ast.File) []string {
	var names []string
	for _, i := range f.Imports {
		switch of, err := strconv.Unquote(i.Path.Value); {
		case i.Name != nil:
			names = append(names, i.Name.Name)
		case err == nil:
			names = append(names, path.Base(of))
		}
	}
	return names
}

// declared yields the package-level names of a file.
func declared(f *ast.File) map[string]token.Pos {
	names := map[string]token.Pos{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name != "init" {
				names[d.Name.Name] = d.Name.Pos()
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = s.Name.Pos()
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = n.Pos()
					}
				}
			}
		}
	}
	return names
}

// Declared lists the package-level names of a file that was only parsed, and those of its imports.
func Declared(fset *token.FileSet, f *ast.File, built bool) []Other {
	var names []Other
	for name, at := range declared(f) {
		names = append(names, Other{Name: name, Pos: fset.Position(at), Built: built})
	}
	for _, name := range imported(f) {
		names = append(names, Other{Name: name, Import: true})
	}
	return names
}
