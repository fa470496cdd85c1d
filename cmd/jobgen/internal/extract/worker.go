package extract

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// typeWorker reads a worker that is a defined type.
func (x *extractor) typeWorker(spec *ast.TypeSpec) *model.Worker {
	obj, _ := x.in.Info.Defs[spec.Name].(*types.TypeName)
	if obj == nil {
		return nil
	}
	named, _ := obj.Type().(*types.Named)
	if named == nil {
		return nil
	}
	w := &model.Worker{Name: obj.Name(), Pos: x.pos(obj.Pos())}
	w.TypeParams = x.typeParams(named.TypeParams())
	if types.IsInterface(named) {
		w.Interface = true
		return w
	}
	self := x.methods(w, named)
	if w.Do == nil {
		return w
	}
	w.Misfit = x.misfit(self)
	w.Locks = x.workerLocks(self, w.Pos)
	w.Locals = x.workerReasons(w, self)
	if len(w.Locals) == 0 {
		w.Travel = x.travel(w, x.pkg.Qualified(w), self, nil)
	}
	w.Arrays = x.arrays(self, nil, w)
	if do := x.lookup(named, "Do"); do != nil { // of the generic type itself, as its body speaks of it
		w.Writes = x.writes(w, do, w.MapJob != nil)
	}
	return w
}

// methods finds the methods that jobgen calls and returns the worker's type. For a generic type that is its
// instance with its own type parameters, so that the methods speak of these and not of their receivers'.
func (x *extractor) methods(w *model.Worker, named *types.Named) types.Type {
	var self types.Type = named
	if tps := named.TypeParams(); tps.Len() > 0 && named.TypeArgs().Len() == 0 {
		var args []types.Type
		for p := range tps.TypeParams() {
			args = append(args, p)
		}
		if inst, err := types.Instantiate(nil, named, args, false); err == nil {
			self = inst
		}
	}
	for name, into := range map[string]**model.Method{
		"Do": &w.Do, "MapJob": &w.MapJob, "Setup": &w.Setup, "Close": &w.Close,
	} {
		*into = x.method(w, self, name)
	}
	return self
}

// method looks one method up, promoted ones included; nil if the worker has none of that name.
func (x *extractor) method(w *model.Worker, self types.Type, name string) *model.Method {
	obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(self), true, x.in.Types, name)
	switch obj := obj.(type) {
	case *types.Func:
		m := x.signature(obj, obj.Signature(), w.Pos)
		_, pointer := obj.Signature().Recv().Type().(*types.Pointer)
		m.Direct = pointer && len(index) == 1
		return m
	case *types.Var:
		at := w.Pos
		if x.owns(obj.Pos()) {
			at = x.pos(obj.Pos())
		}
		w.Hidden = append(w.Hidden, model.NotMethod{Name: name, What: "a field", Pos: at})
	case nil:
		if index != nil {
			w.Hidden = append(w.Hidden, model.NotMethod{Name: name, What: "ambiguous, two embedded fields offer one", Pos: w.Pos})
		}
	}
	return nil
}

// misfit says whether MapJob, if there is one, returns something else than Do takes.
func (x *extractor) misfit(self types.Type) bool {
	job, do := x.lookup(self, "MapJob"), x.lookup(self, "Do")
	if job == nil || do == nil {
		return false
	}
	var takes, gives []types.Type
	for v := range do.Signature().Params().Variables() {
		if len(takes) > 0 || !isContext(v.Type()) || v != do.Signature().Params().At(0) {
			takes = append(takes, v.Type())
		}
	}
	results := job.Signature().Results()
	for i := range results.Len() {
		if i < results.Len()-1 || !isError(results.At(i).Type()) {
			gives = append(gives, results.At(i).Type())
		}
	}
	if len(takes) != len(gives) {
		return true
	}
	for i := range takes {
		if !types.AssignableTo(gives[i], takes[i]) {
			return true
		}
	}
	return false
}

// funcWorker reads a worker that is a function.
func (x *extractor) funcWorker(decl *ast.FuncDecl, args []model.Arg) *model.Worker {
	obj, _ := x.in.Info.Defs[decl.Name].(*types.Func)
	if obj == nil {
		return nil
	}
	w := &model.Worker{Name: obj.Name(), Pos: x.pos(obj.Pos()), Func: true}
	w.TypeParams = x.typeParams(obj.Signature().TypeParams())
	w.Do = x.signature(obj, obj.Signature(), w.Pos)
	w.Bind = boundNames(args)
	bound := map[string]bool{}
	for _, a := range w.Bind {
		bound[a.Value] = true
	}
	for i := range w.Do.Params {
		p := &w.Do.Params[i]
		if bound[p.Name] && !p.Blank() {
			p.Bound = true
			w.Bound = append(w.Bound, *p)
		}
	}
	w.Locks = x.paramLocks(obj.Signature(), w)
	w.Locals = x.functionReasons(w, obj.Signature())
	if len(w.Locals) == 0 {
		w.Travel = x.travel(w, x.pkg.Qualified(w), nil, obj.Signature())
	}
	w.Arrays = x.arrays(nil, obj.Signature(), w)
	w.Writes = x.writes(w, obj, false)
	return w
}

// boundNames splits bind=a,b into its names.
func boundNames(args []model.Arg) []model.Arg {
	var names []model.Arg
	for _, a := range args {
		if a.Key != "bind" {
			continue
		}
		at := a.Pos
		at.Col += len("bind=")
		at.Token += token.Pos(len("bind="))
		for name := range strings.SplitSeq(a.Value, ",") {
			names = append(names, model.Arg{Key: "bind", Value: name, HasValue: true, Pos: at})
			at.Col += len(name) + 1
			at.Token += token.Pos(len(name) + 1)
		}
	}
	return names
}

func (x *extractor) typeParams(list *types.TypeParamList) []model.TypeParam {
	var out []model.TypeParam
	for p := range list.TypeParams() {
		c, _, _ := x.convert(p.Constraint())
		out = append(out, model.TypeParam{
			Name: p.Obj().Name(), Pos: x.pos(p.Obj().Pos()), Constraint: c, Integer: integersOnly(p.Constraint()),
		})
	}
	return out
}

// signature reads a function the way jobgen calls it. fallback is the position to report where the
// function is declared in another package.
func (x *extractor) signature(fn *types.Func, sig *types.Signature, fallback model.Pos) *model.Method {
	m := &model.Method{Name: fn.Name(), Pos: fallback, Variadic: sig.Variadic()}
	if x.owns(fn.Pos()) {
		m.Pos = x.pos(fn.Pos())
	}
	decl := x.funcs[fn.Pos()]
	for v := range sig.Params().Variables() {
		if len(m.Params) == 0 && !m.Context && isContext(v.Type()) {
			m.Context = true
			continue
		}
		m.Params = append(m.Params, x.param(v, decl, m.Pos))
	}
	n := sig.Results().Len()
	for i := range n {
		v := sig.Results().At(i)
		if i == n-1 && isError(v.Type()) {
			m.Error = true
			continue
		}
		m.Results = append(m.Results, x.param(v, decl, m.Pos))
	}
	return m
}

func (x *extractor) param(v *types.Var, decl *ast.FuncDecl, fallback model.Pos) model.Param {
	p := model.Param{Name: v.Name(), Pos: fallback, Integer: isInteger(v.Type())}
	if x.owns(v.Pos()) {
		p.Pos = x.pos(v.Pos())
	}
	var invalid bool
	p.Type, invalid, p.Unwritable = x.convert(v.Type())
	if invalid {
		p.Unresolved = x.complaint(v, signature(decl)...)
	}
	return p
}

// complaint finds what the type checker said about the type of a parameter or field that is in one of some lists.
func (x *extractor) complaint(v *types.Var, lists ...*ast.FieldList) string {
	for _, list := range lists {
		if list == nil {
			continue
		}
		for _, f := range list.List {
			if v.Pos() < f.Pos() || v.Pos() > f.End() {
				continue
			}
			for _, e := range x.in.Errors {
				if f.Type.Pos() <= e.Pos && e.Pos < f.Type.End() {
					return e.Msg
				}
			}
			return fmt.Sprintf("the type %s is not valid", types.ExprString(f.Type))
		}
	}
	return "its type is not valid"
}

// signature returns the lists of a function's parameters and results; a function that is not written here has none.
func signature(decl *ast.FuncDecl) []*ast.FieldList {
	if decl == nil {
		return nil
	}
	return []*ast.FieldList{decl.Type.Params, decl.Type.Results}
}

func isContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context"
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}
