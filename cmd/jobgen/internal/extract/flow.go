package extract

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// flow follows slices, maps and pointers from a function's parameters, and its receiver's fields, into its variables.
type flow struct {
	x        *extractor
	decl     *ast.FuncDecl
	receiver types.Object // nil if it has no name
	origins  []*origin
	fields   map[string]*origin      // of the receiver's fields, by name; "" is the receiver itself
	of       map[types.Object]*alias // variables that refer to an origin's memory
}

// origin is a parameter, or a field of the configuration.
type origin struct {
	write    model.Write
	returned bool // it may be part of a result
	replaced bool // it is given another value, which is most likely the function's own
}

// alias is a variable that refers to an origin's memory.
type alias struct {
	origin *origin
	cut    bool // by a slice expression
	elem   bool // a pointer to an element
	dead   bool // something else is assigned to it as well
}

// reference is an expression that leads to an origin.
type reference struct {
	origin  *origin
	shared  bool // it lies in memory that the caller sees, too
	indexed bool // an index of a slice or map is on the way
	cut     bool
	elem    bool
}

// follow finds the aliases. An alias can come from one that is found later, in a loop.
func (f *flow) follow() {
	for range 10 {
		known, dead := len(f.of), f.deaths()
		ast.Inspect(f.decl.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					if len(n.Rhs) == len(n.Lhs) {
						f.assign(l, f.refer(n.Rhs[i]), f.typeOf(n.Rhs[i]))
					} else {
						f.assign(l, reference{}, nil)
					}
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if len(n.Values) == len(n.Names) {
						f.assign(name, f.refer(n.Values[i]), f.typeOf(n.Values[i]))
					}
				}
			case *ast.RangeStmt:
				if n.Value != nil {
					r := f.step(f.refer(n.X), f.typeOf(n.X))
					f.assign(n.Value, r, f.typeOf(n.Value))
				}
			}
			return true
		})
		if len(f.of) == known && f.deaths() == dead {
			return
		}
	}
}

func (f *flow) deaths() int {
	n := 0
	for _, a := range f.of {
		if a.dead {
			n++
		}
	}
	return n
}

// assign follows an assignment of an expression that leads to r.
func (f *flow) assign(to ast.Expr, r reference, t types.Type) {
	switch to := ast.Unparen(to).(type) {
	case *ast.Ident:
		obj := f.object(to)
		if obj == nil {
			return
		}
		a := f.of[obj]
		switch {
		case r.origin == nil || !pointing(t):
			if a != nil {
				a.dead = true
				if obj.Pos() < f.decl.Body.Pos() { // a parameter
					a.origin.replaced = true
				}
			}
		case a == nil:
			f.of[obj] = &alias{origin: r.origin, cut: r.cut, elem: r.elem}
		case a.origin != r.origin:
			a.dead = true
		default:
			a.cut = a.cut || r.cut
		}
	case *ast.SelectorExpr:
		// A field that is given a slice of the worker's own is its state from then on.
		if id, ok := ast.Unparen(to.X).(*ast.Ident); ok && f.receiver != nil && f.object(id) == f.receiver {
			if l := f.refer(to); l.origin != nil && l.origin != r.origin {
				l.origin.replaced = true
			}
		}
	}
}

// pointing says whether a copy of a value refers to the same memory.
func pointing(t types.Type) bool {
	if t == nil {
		return false
	}
	switch t.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer:
		return true
	}
	return false
}

func (f *flow) object(id *ast.Ident) types.Object {
	if o := f.x.in.Info.Defs[id]; o != nil {
		return o
	}
	return f.x.in.Info.Uses[id]
}

func (f *flow) typeOf(e ast.Expr) types.Type {
	if tv, ok := f.x.in.Info.Types[e]; ok {
		return tv.Type
	}
	if id, ok := e.(*ast.Ident); ok {
		if o := f.object(id); o != nil {
			return o.Type()
		}
	}
	return nil
}

// refer finds the origin that an expression leads to.
func (f *flow) refer(e ast.Expr) reference {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return f.refer(e.X)
	case *ast.Ident:
		obj := f.object(e)
		if obj == nil {
			return reference{}
		}
		if a := f.of[obj]; a != nil && !a.dead {
			return reference{origin: a.origin, cut: a.cut, elem: a.elem}
		}
		if obj == f.receiver && pointing(obj.Type()) && !isPointer(obj.Type()) {
			return reference{origin: f.field("")}
		}
	case *ast.SelectorExpr:
		return f.selector(e)
	case *ast.IndexExpr:
		return f.step(f.refer(e.X), f.typeOf(e.X))
	case *ast.StarExpr:
		r := f.refer(e.X)
		return reference{origin: r.origin, shared: true, indexed: r.indexed || r.elem}
	case *ast.SliceExpr:
		r, t := f.refer(e.X), f.typeOf(e.X)
		if t == nil {
			return reference{}
		}
		if _, ok := t.Underlying().(*types.Array); ok && !r.shared {
			return reference{} // of an array that is the function's own
		}
		r.cut = r.cut || e.High != nil
		return r
	case *ast.UnaryExpr:
		if r := f.refer(e.X); e.Op == token.AND && r.shared {
			return reference{origin: r.origin, elem: r.indexed}
		}
	case *ast.CallExpr:
		return f.call(e)
	}
	return reference{}
}

// selector is a field: of the receiver, if it is exported, a part of the configuration.
func (f *flow) selector(e *ast.SelectorExpr) reference {
	v, ok := f.x.in.Info.Uses[e.Sel].(*types.Var)
	if !ok || !v.IsField() {
		return reference{}
	}
	if id, ok := ast.Unparen(e.X).(*ast.Ident); ok && f.receiver != nil && f.object(id) == f.receiver {
		if !v.Exported() {
			return reference{}
		}
		return reference{origin: f.field(v.Name())}
	}
	r := f.refer(e.X)
	if t := f.typeOf(e.X); r.origin != nil && t != nil && isPointer(t) {
		r.shared, r.indexed = true, r.indexed || r.elem
	}
	return r
}

func (f *flow) field(name string) *origin {
	if o := f.fields[name]; o != nil {
		return o
	}
	o := &origin{write: model.Write{What: "field " + name, Config: true}}
	if name == "" {
		o.write.What = "the worker's value"
	}
	f.fields[name] = o
	f.origins = append(f.origins, o)
	return o
}

// step is an element of what r leads to.
func (f *flow) step(r reference, t types.Type) reference {
	if r.origin == nil || t == nil {
		return reference{}
	}
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Map:
		return reference{origin: r.origin, shared: true, indexed: true}
	case *types.Pointer:
		if _, ok := u.Elem().Underlying().(*types.Array); ok {
			return reference{origin: r.origin, shared: true, indexed: true}
		}
	case *types.Array:
		return reference{origin: r.origin, shared: r.shared, indexed: r.indexed}
	}
	return reference{}
}

// call looks through conversions and append, whose result may be its first argument's memory.
func (f *flow) call(e *ast.CallExpr) reference {
	if len(e.Args) == 0 {
		return reference{}
	}
	if tv, ok := f.x.in.Info.Types[e.Fun]; ok && tv.IsType() && pointing(tv.Type) && pointing(f.typeOf(e.Args[0])) {
		return f.refer(e.Args[0])
	}
	if id, ok := ast.Unparen(e.Fun).(*ast.Ident); ok && id.Name == "append" {
		if _, ok := f.x.in.Info.Uses[id].(*types.Builtin); ok {
			return f.refer(e.Args[0])
		}
	}
	return reference{}
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}
