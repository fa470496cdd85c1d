package extract

import (
	"fmt"
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// workerReasons says why a worker cannot leave its process. What travels is its exported fields, each
// job's input and each job's result. A generic worker stays; its registered instances are asked one by one.
func (x *extractor) workerReasons(w *model.Worker, self types.Type) []model.Reason {
	if rs := genericReasons(w); rs != nil {
		return rs
	}
	t := x.traveller()
	if s, ok := self.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			if f.Exported() {
				t.visit("field "+f.Name(), f.Type(), x.fieldPos(f, w.Pos), []types.Type{self})
			}
		}
	} else {
		t.visit("the worker's value", self, w.Pos, nil)
	}
	job := x.lookup(self, "MapJob")
	do := x.lookup(self, "Do")
	if job != nil && w.MapJob != nil {
		t.tuple("parameter", job.Signature().Params(), w.MapJob.Pos)
	} else if do != nil {
		t.tuple("parameter", do.Signature().Params(), w.Do.Pos)
	}
	if do != nil {
		t.tuple("result", do.Signature().Results(), w.Do.Pos)
	}
	return t.reasons
}

// functionReasons does the same for a function, whose bound parameters take the place of the fields.
func (x *extractor) functionReasons(w *model.Worker, sig *types.Signature) []model.Reason {
	if rs := genericReasons(w); rs != nil {
		return rs
	}
	t := x.traveller()
	t.tuple("parameter", sig.Params(), w.Pos)
	t.tuple("result", sig.Results(), w.Pos)
	return t.reasons
}

func genericReasons(w *model.Worker) []model.Reason {
	if len(w.TypeParams) == 0 {
		return nil
	}
	p := w.TypeParams[0]
	return []model.Reason{{What: "type parameter " + p.Name, Why: "keeps it in its process, unless //jobgen:instantiate registers an instance", Pos: p.Pos}}
}

func (x *extractor) lookup(self types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(self), true, x.in.Types, name)
	f, _ := obj.(*types.Func)
	return f
}

func (x *extractor) traveller() *traveller {
	return &traveller{x: x, fine: map[types.Type]bool{}}
}

// traveller decides which types can be encoded. It collects the parts that cannot.
type traveller struct {
	x       *extractor
	reasons []model.Reason
	fine    map[types.Type]bool // declared types and aliases that were visited, as they are written, and have nothing against them
}

// Beyond these an explanation helps nobody, and a type that nests without end is not followed.
const (
	maxReasons = 20
	maxDepth   = 64
)

// tuple visits parameters or results, leaving out the leading context and the final error.
func (t *traveller) tuple(kind string, list *types.Tuple, fallback model.Pos) {
	vars := travelling(list, kind)
	for i, v := range vars {
		t.visit(partName(kind, i, len(vars), v.Name()), v.Type(), t.x.fieldPos(v, fallback), nil)
	}
}

// partName is how messages refer to a parameter or result, one of n.
func partName(kind string, i, n int, name string) string {
	switch {
	case name != "" && name != "_":
		return kind + " " + name
	case n == 1:
		return "the " + kind
	}
	return fmt.Sprintf("%s %d", kind, i+1)
}

func (t *traveller) no(what, why string, at model.Pos) {
	if len(t.reasons) < maxReasons {
		t.reasons = append(t.reasons, model.Reason{What: what, Why: why, Pos: at})
	}
}

// visit walks one type. what is the expression that leads to it, at the position in this package that
// is nearest to it, inside the declared types on the way.
func (t *traveller) visit(what string, typ types.Type, at model.Pos, inside []types.Type) {
	if len(t.reasons) >= maxReasons || t.fine[typ] {
		return
	}
	if len(inside) > maxDepth {
		t.no(what, "nests too deeply", at)
		return
	}
	written := typ
	typ = types.Unalias(typ)
	if n, ok := typ.(*types.Named); ok {
		if t.x.methodsOf(n) != nil {
			t.nameable(what, written, at)
			return
		}
		for _, u := range inside {
			if types.Identical(u, typ) {
				t.no(what, "leads back to "+t.x.typeName(typ)+", and may be a pointer cycle", at)
				return
			}
		}
		before := len(t.reasons)
		t.under(what, typ, at, append(inside[:len(inside):len(inside)], typ))
		if len(t.reasons) == before && t.nameable(what, written, at) {
			t.fine[written] = true // an alias may have a name where what it stands for has none
		}
		return
	}
	t.under(what, typ, at, inside)
}

// nameable says whether generated code can write a type that is about to be fine.
func (t *traveller) nameable(what string, typ types.Type, at model.Pos) bool {
	_, invalid, problem := t.x.convert(typ)
	if problem != "" && !invalid {
		t.no(what, "has a type that generated code cannot name: "+problem, at)
	}
	return problem == ""
}

func (t *traveller) under(what string, typ types.Type, at model.Pos, inside []types.Type) {
	switch u := typ.Underlying().(type) {
	case *types.Basic:
		switch u.Kind() {
		case types.UnsafePointer:
			t.no(what, "is an unsafe.Pointer", at)
		case types.Invalid:
			t.no(what, "has a type that cannot be resolved", at)
		}
	case *types.Pointer:
		t.visit(what, u.Elem(), at, inside)
	case *types.Slice:
		t.visit(what+"[i]", u.Elem(), at, inside)
	case *types.Array:
		t.visit(what+"[i]", u.Elem(), at, inside)
	case *types.Map:
		t.visit("a key of "+what, u.Key(), at, inside)
		t.visit(what+"[k]", u.Elem(), at, inside)
	case *types.Struct:
		t.structure(what, typ, u, at, inside)
	case *types.Chan:
		t.no(what, "is a channel"+t.named(typ), at)
	case *types.Signature:
		t.no(what, "is a func"+t.named(typ), at)
	case *types.Interface:
		if _, ok := typ.(*types.TypeParam); ok {
			t.no(what, "has the type parameter "+t.x.typeName(typ)+" for its type", at)
			return
		}
		t.no(what, "is an interface, "+t.x.typeName(typ), at)
	}
}

// named adds the name of a declared type to what is said about its kind.
func (t *traveller) named(typ types.Type) string {
	if _, ok := typ.(*types.Named); ok {
		return ", " + t.x.typeName(typ)
	}
	return ""
}

// structure visits the fields. Those of this package's structs can all be reached; of another package's
// only the exported ones can, so one that is not makes the whole opaque.
func (t *traveller) structure(what string, typ types.Type, s *types.Struct, at model.Pos, inside []types.Type) {
	for f := range s.Fields() {
		if f.Name() == "_" || f.Exported() || f.Pkg() == t.x.in.Types {
			continue
		}
		t.no(what, fmt.Sprintf("is of type %s, which has unexported fields and no pair of methods like MarshalBinary and UnmarshalBinary", t.x.typeName(typ)), at)
		return
	}
	for f := range s.Fields() {
		if f.Name() == "_" {
			continue
		}
		t.visit(what+"."+f.Name(), f.Type(), t.x.fieldPos(f, at), inside)
	}
}
