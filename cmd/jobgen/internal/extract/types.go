package extract

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// converter turns types into the model's, and notes the first that this package cannot write.
type converter struct {
	self    *types.Package
	path    string // import path of the package, as the go command's internal rule sees it
	problem string
	invalid bool
}

func (x *extractor) converter() *converter { return &converter{self: x.in.Types, path: x.in.Path} }

// convert is a type with its two possible defects.
func (x *extractor) convert(t types.Type) (out model.Type, invalid bool, unwritable string) {
	c := x.converter()
	out = c.typ(t)
	return out, c.invalid, c.problem
}

func (c *converter) typ(t types.Type) model.Type {
	switch t := t.(type) {
	case *types.Alias:
		return c.alias(t)
	case *types.Named:
		return c.declared(t.Obj(), t.TypeArgs())
	case *types.Basic:
		if t.Kind() == types.Invalid {
			c.invalid = true
			return model.Type{Kind: model.Invalid}
		}
		if t.Kind() == types.UnsafePointer {
			return model.Type{Kind: model.Named, Name: "Pointer", Path: "unsafe", PkgName: "unsafe"}
		}
		return model.Type{Kind: model.Basic, Name: t.Name()}
	case *types.TypeParam:
		return model.Type{Kind: model.Parameter, Index: t.Index(), Name: t.Obj().Name()}
	case *types.Pointer:
		return model.Type{Kind: model.Pointer, Elem: c.ref(t.Elem())}
	case *types.Slice:
		return model.Type{Kind: model.Slice, Elem: c.ref(t.Elem())}
	case *types.Array:
		return model.Type{Kind: model.Array, Elem: c.ref(t.Elem()), Len: t.Len()}
	case *types.Map:
		return model.Type{Kind: model.Map, Key: c.ref(t.Key()), Elem: c.ref(t.Elem())}
	case *types.Chan:
		dir := [...]model.Dir{types.SendRecv: model.Both, types.SendOnly: model.SendOnly, types.RecvOnly: model.ReceiveOnly}
		return model.Type{Kind: model.Chan, Elem: c.ref(t.Elem()), Dir: dir[t.Dir()]}
	case *types.Signature:
		return c.signature(t)
	case *types.Struct:
		return c.structure(t)
	case *types.Interface:
		return c.iface(t)
	case *types.Union:
		return model.Type{Kind: model.Union, Embeds: c.terms(t)}
	}
	c.note(fmt.Sprintf("%s is of a kind that jobgen does not know", t))
	return model.Type{Kind: model.Invalid}
}

func (c *converter) ref(t types.Type) *model.Type {
	m := c.typ(t)
	return &m
}

func (c *converter) note(problem string) {
	if c.problem == "" {
		c.problem = problem
	}
}

// alias keeps the alias's name where the output can use it, and looks through it where it cannot.
func (c *converter) alias(t *types.Alias) model.Type {
	obj := t.Obj()
	if obj.Pkg() == nil { // any
		return model.Type{Kind: model.Basic, Name: obj.Name()}
	}
	if strings.HasPrefix(obj.Name(), "_C") {
		return c.declared(obj, nil)
	}
	if obj.Parent() != obj.Pkg().Scope() || c.refuse(obj) != "" {
		return c.typ(types.Unalias(t))
	}
	return c.declared(obj, t.TypeArgs())
}

func (c *converter) declared(obj *types.TypeName, args *types.TypeList) model.Type {
	if obj.Pkg() == nil { // error, comparable
		return model.Type{Kind: model.Basic, Name: obj.Name()}
	}
	if why := c.refuse(obj); why != "" {
		c.note(why)
	}
	m := model.Type{Kind: model.Named, Name: obj.Name(), Path: c.pathOf(obj.Pkg()), PkgName: obj.Pkg().Name()}
	for i := range args.Len() {
		m.Args = append(m.Args, c.typ(args.At(i)))
	}
	return m
}

// pathOf is the path under which the output refers to a package.
func (c *converter) pathOf(p *types.Package) string { return p.Path() }

// refuse says why the output cannot write a declared type's name; "" if it can.
func (c *converter) refuse(obj *types.TypeName) string {
	pkg := obj.Pkg()
	if strings.HasPrefix(obj.Name(), "_C") {
		return fmt.Sprintf("C.%s has no name outside the file that imports \"C\"", strings.TrimPrefix(strings.TrimPrefix(obj.Name(), "_Ctype_"), "_C"))
	}
	if pkg == c.self {
		if obj.Parent() != nil && obj.Parent() != pkg.Scope() {
			return fmt.Sprintf("%s is declared inside a function", obj.Name())
		}
		return ""
	}
	if !obj.Exported() {
		return fmt.Sprintf("%s.%s is not exported", pkg.Name(), obj.Name())
	}
	if !Importable(c.path, pkg.Path()) {
		return fmt.Sprintf("%s.%s is in %s, which this package may not import", pkg.Name(), obj.Name(), pkg.Path())
	}
	return ""
}

// Importable applies the go command's rule for internal directories to an import in package from, which may be one of tests.
func Importable(from, path string) bool {
	from = strings.TrimSuffix(from, "_test")
	if strings.HasPrefix(path, "vendor/") {
		return false
	}
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] != "internal" {
			continue
		}
		root := strings.Join(parts[:i], "/")
		return root != "" && (from == root || strings.HasPrefix(from, root+"/"))
	}
	return true
}

func (c *converter) signature(t *types.Signature) model.Type {
	m := model.Type{Kind: model.Func, Variadic: t.Variadic()}
	for v := range t.Params().Variables() {
		m.Params = append(m.Params, c.typ(v.Type()))
	}
	for v := range t.Results().Variables() {
		m.Results = append(m.Results, c.typ(v.Type()))
	}
	return m
}

func (c *converter) structure(t *types.Struct) model.Type {
	m := model.Type{Kind: model.Struct}
	for i := range t.NumFields() {
		f := t.Field(i)
		if !f.Exported() && f.Pkg() != c.self {
			c.note(fmt.Sprintf("%s has the field %s of package %s, which is not exported", t, f.Name(), f.Pkg().Name()))
		}
		m.Fields = append(m.Fields, model.Field{Name: f.Name(), Type: c.typ(f.Type()), Tag: t.Tag(i), Embedded: f.Embedded()})
	}
	return m
}

func (c *converter) iface(t *types.Interface) model.Type {
	m := model.Type{Kind: model.Interface}
	for f := range t.ExplicitMethods() {
		if !f.Exported() && f.Pkg() != c.self {
			c.note(fmt.Sprintf("%s has the method %s of package %s, which is not exported", t, f.Name(), f.Pkg().Name()))
		}
		m.Methods = append(m.Methods, model.Signature{Name: f.Name(), Type: c.signature(f.Signature())})
	}
	for e := range t.EmbeddedTypes() {
		if u, ok := e.(*types.Union); ok && t.IsImplicit() {
			return model.Type{Kind: model.Union, Embeds: c.terms(u)}
		}
		if t.IsImplicit() {
			return c.typ(e)
		}
		m.Embeds = append(m.Embeds, model.Term{Type: c.typ(e)})
	}
	return m
}

func (c *converter) terms(u *types.Union) []model.Term {
	var ts []model.Term
	for t := range u.Terms() {
		ts = append(ts, model.Term{Tilde: t.Tilde(), Type: c.typ(t.Type())})
	}
	return ts
}

// isInteger says whether every value of type t is an integer.
func isInteger(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		return integersOnly(p.Constraint())
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// integersOnly says whether a constraint admits nothing but integer types.
func integersOnly(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Interface:
		for e := range u.EmbeddedTypes() {
			if integersOnly(e) {
				return true
			}
		}
		return false
	case *types.Union:
		for term := range u.Terms() {
			if !integersOnly(term.Type()) {
				return false
			}
		}
		return u.Len() > 0
	default:
		return isInteger(t)
	}
}
