package extract

import (
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// arrays finds the shared arrays among a worker's configuration, parameters and results whose elements hold
// pointers. Go has no constraint that forbids them, so that only an allocation would fail.
func (x *extractor) arrays(self types.Type, sig *types.Signature, w *model.Worker) []model.Reason {
	if sig != nil {
		s := &arraySearch{x: x}
		s.tuple("parameter", sig.Params(), w.Pos)
		s.tuple("result", sig.Results(), w.Pos)
		return s.found
	}
	s := &arraySearch{x: x}
	if st, ok := self.Underlying().(*types.Struct); ok {
		for f := range st.Fields() {
			s.visit("field "+f.Name(), f.Type(), x.fieldPos(f, w.Pos), nil)
		}
	}
	for _, name := range []string{"MapJob", "Do"} {
		if f := x.lookup(self, name); f != nil {
			at := w.Pos
			if x.owns(f.Pos()) {
				at = x.pos(f.Pos())
			}
			s.tuple("parameter", f.Signature().Params(), at)
			if name == "Do" || x.lookup(self, "Do") == nil {
				s.tuple("result", f.Signature().Results(), at)
			}
		}
	}
	return s.found
}

type arraySearch struct {
	x     *extractor
	found []model.Reason
}

func (s *arraySearch) tuple(kind string, list *types.Tuple, fallback model.Pos) {
	vars := travelling(list, kind)
	for i, v := range vars {
		s.visit(partName(kind, i, len(vars), v.Name()), v.Type(), s.x.fieldPos(v, fallback), nil)
	}
}

func (s *arraySearch) visit(what string, t types.Type, at model.Pos, inside []types.Type) {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok {
		for _, u := range inside {
			if types.Identical(u, t) {
				return
			}
		}
		if len(inside) > maxDepth || len(s.found) >= maxReasons {
			return
		}
		inside = append(inside[:len(inside):len(inside)], t)
		if o := n.Obj(); o.Name() == "Array" && o.Pkg() != nil && o.Pkg().Path() == sharedArrays && n.TypeArgs().Len() == 1 {
			elem := n.TypeArgs().At(0)
			if where, why := holdsPointer(elem, s.x.typeName(elem)); why != "" {
				s.found = append(s.found, model.Reason{What: what, Why: "is a " + s.x.typeName(t) + ", but " + where + " " + why, Pos: at})
			}
			return
		}
		if s.x.methodsOf(n) != nil {
			return
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		s.visit(what, u.Elem(), at, inside)
	case *types.Slice:
		s.visit(what+"[i]", u.Elem(), at, inside)
	case *types.Array:
		s.visit(what+"[i]", u.Elem(), at, inside)
	case *types.Map:
		s.visit("a key of "+what, u.Key(), at, inside)
		s.visit(what+"[k]", u.Elem(), at, inside)
	case *types.Struct:
		for f := range u.Fields() {
			if f.Exported() || f.Pkg() == s.x.in.Types {
				s.visit(what+"."+f.Name(), f.Type(), s.x.fieldPos(f, at), inside)
			}
		}
	}
}

// sharedArrays is the import path of the package with shared arrays.
const sharedArrays = "github.com/jobgen/jobgen/sharedmem"

// holdsPointer says where in a type there is a pointer, and which. sharedmem decides by the same rules at run
// time.
func holdsPointer(t types.Type, path string) (where, why string) {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return "", ""
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return path, "is a string, which points to its text"
		case u.Kind() == types.UnsafePointer:
			return path, "is a pointer"
		}
	case *types.Array:
		return holdsPointer(u.Elem(), path+"[i]")
	case *types.Struct:
		for f := range u.Fields() {
			if where, why := holdsPointer(f.Type(), path+"."+f.Name()); why != "" {
				return where, why
			}
		}
	case *types.Slice:
		return path, "is a slice, which points to its elements"
	case *types.Pointer:
		return path, "is a pointer"
	case *types.Map:
		return path, "is a map, which holds pointers"
	case *types.Chan:
		return path, "is a channel, which holds a pointer"
	case *types.Signature:
		return path, "is a func, which holds a pointer"
	case *types.Interface:
		return path, "is an interface, which holds a pointer"
	}
	return "", ""
}
