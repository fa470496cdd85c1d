package extract

import (
	"go/ast"
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// writes finds the parameters and the configuration whose elements a worker's function writes to, where no result
// gives them back. It needs the function's body, and is silent where it is not sure: what other functions do
// with a slice is not known.
func (x *extractor) writes(w *model.Worker, do *types.Func, mapped bool) []model.Write {
	decl := x.funcs[do.Pos()]
	if decl == nil || decl.Body == nil || len(decl.Body.List) == 0 || x.in.Info.Uses == nil {
		return nil
	}
	f := &flow{x: x, decl: decl, of: map[types.Object]*alias{}, fields: map[string]*origin{}}
	if decl.Recv != nil && len(decl.Recv.List) > 0 && len(decl.Recv.List[0].Names) > 0 {
		f.receiver = x.in.Info.Defs[decl.Recv.List[0].Names[0]]
	}
	bound := map[string]bool{}
	for _, b := range w.Bound {
		bound[b.Name] = true
	}
	for v := range do.Signature().Params().Variables() {
		if mapped || v.Name() == "" || v.Name() == "_" {
			continue // MapJob's results are the worker's own
		}
		o := &origin{write: model.Write{What: "parameter " + v.Name(), Config: bound[v.Name()]}}
		f.origins = append(f.origins, o)
		f.of[v] = &alias{origin: o}
	}
	f.follow()
	f.search()
	holds := false
	for _, v := range travelling(do.Signature().Results(), "result") {
		holds = holds || refers(v.Type(), 0)
	}
	var found []model.Write
	for _, o := range f.origins {
		if o.write.Pos.IsValid() && !o.replaced && !(holds && o.returned) {
			found = append(found, o.write)
		}
	}
	return found
}

// search finds the statements that write, and those that may return what was written to.
func (f *flow) search() {
	ast.Inspect(f.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				f.written(l)
				if _, ok := ast.Unparen(l).(*ast.Ident); !ok && i < len(n.Rhs) {
					f.given(n.Rhs[i]) // it may be part of a result
				}
			}
		case *ast.IncDecStmt:
			f.written(n.X)
		case *ast.CallExpr:
			f.called(n)
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				f.given(e)
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				f.given(e)
			}
		}
		return true
	})
	if results := f.decl.Type.Results; results != nil {
		for _, fl := range results.List {
			for _, name := range fl.Names {
				if a := f.of[f.x.in.Info.Defs[name]]; a != nil {
					a.origin.returned = true
				}
			}
		}
	}
}

// written notes a write to an expression.
func (f *flow) written(e ast.Expr) {
	if r := f.refer(e); r.origin != nil && r.shared && r.indexed {
		f.note(r.origin, e)
	}
}

func (f *flow) note(o *origin, at ast.Expr) {
	if pos := f.x.pos(at.Pos()); !o.write.Pos.IsValid() || pos.Less(o.write.Pos) {
		o.write.Pos = pos
	}
}

// called notes what copy, clear, delete and append write to. append writes over elements only of a slice that was cut
// shorter. Any other function may return what it is given.
func (f *flow) called(call *ast.CallExpr) {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if ok {
		_, ok = f.x.in.Info.Uses[id].(*types.Builtin)
	}
	if !ok {
		if t := f.typeOf(call); t != nil && refers(t, 0) {
			for _, e := range call.Args {
				f.given(e) // it may come back
			}
		}
		return
	}
	if len(call.Args) == 0 {
		return
	}
	if id.Name == "append" {
		for _, e := range call.Args[1:] {
			f.given(e)
		}
	}
	r := f.refer(call.Args[0])
	if r.origin == nil {
		return
	}
	switch id.Name {
	case "copy", "clear", "delete":
		f.note(r.origin, call)
	case "append":
		if r.cut {
			f.note(r.origin, call)
		}
	}
}

// given notes everything in an expression that may get into a result.
func (f *flow) given(e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if t := f.typeOf(e); t != nil && !refers(t, 0) {
				return false // a number knows nothing of the slice that it was in
			}
			if r := f.refer(e); r.origin != nil {
				r.origin.returned = true
			}
		}
		return true
	})
}

// refers says whether a value of a type can hold a slice or map that it was given.
func refers(t types.Type, depth int) bool {
	if depth > maxDepth {
		return true
	}
	if isError(t) {
		return false
	}
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		return admitsReference(p.Constraint(), depth)
	}
	switch u := t.Underlying().(type) {
	case *types.Tuple:
		for v := range u.Variables() {
			if refers(v.Type(), depth+1) {
				return true
			}
		}
		return false
	case *types.Basic:
		return false
	case *types.Array:
		return refers(u.Elem(), depth+1)
	case *types.Struct:
		for f := range u.Fields() {
			if refers(f.Type(), depth+1) {
				return true
			}
		}
		return false
	}
	return true
}

// admitsReference says whether a constraint admits types that refer to something.
func admitsReference(constraint types.Type, depth int) bool {
	i, ok := constraint.Underlying().(*types.Interface)
	if !ok {
		return true
	}
	for e := range i.EmbeddedTypes() {
		u, ok := e.(*types.Union)
		switch {
		case !ok && types.IsInterface(e):
			if !admitsReference(e, depth+1) {
				return false
			}
		case !ok:
			return refers(e, depth+1)
		default:
			for term := range u.Terms() {
				if types.IsInterface(term.Type()) && admitsReference(term.Type(), depth+1) || !types.IsInterface(term.Type()) && refers(term.Type(), depth+1) {
					return true
				}
			}
			return false
		}
	}
	return true
}
