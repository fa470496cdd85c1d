package extract

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

type instantiateLine struct {
	found
	file     *ast.File
	filename string
	out      model.Output
}

// instance reads a //jobgen:instantiate line. The type arguments are resolved as the file that holds the line
// would resolve them, so its imports count.
func (x *extractor) instance(l instantiateLine) {
	in := &model.Instance{
		Text: l.line.Rest, Pos: x.pos(l.slash + token.Pos(l.line.RestOffset)), File: l.filename, Output: l.out,
	}
	x.pkg.Instances = append(x.pkg.Instances, in)
	x.codecs.out = l.out.Base
	expr, err := parser.ParseExpr(in.Text)
	if err != nil {
		in.Bad = fmt.Sprintf("%q is not written as Worker[types]", in.Text)
		return
	}
	var of ast.Expr
	switch e := expr.(type) {
	case *ast.IndexExpr:
		of = e.X
	case *ast.IndexListExpr:
		of = e.X
	}
	name, _ := of.(*ast.Ident)
	if name == nil {
		if id, ok := expr.(*ast.Ident); ok && x.pkg.Worker(id.Name) != nil {
			in.Bad = id.Name + " is given no types"
			return
		}
		in.Bad = fmt.Sprintf("%q is not written as Worker[types]", in.Text)
		return
	}
	w := x.pkg.Worker(name.Name)
	if w == nil {
		in.Bad = fmt.Sprintf("%s is not a worker of this package", name.Name)
		return
	}
	in.Worker = w.Name
	if len(w.TypeParams) == 0 {
		in.Bad = fmt.Sprintf("%s has no type parameters", w.Name)
		return
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{}}
	// The end of the file is inside its scope and after every declaration.
	if err := types.CheckExpr(x.in.Fset, x.in.Types, l.file.End(), expr, info); err != nil {
		in.Bad = err.Error()
		if te, ok := err.(types.Error); ok {
			in.Bad = te.Msg
		}
		return
	}
	args := info.Instances[name].TypeArgs
	var names []string
	for i := range args.Len() {
		t, invalid, problem := x.convert(args.At(i))
		if invalid || problem != "" {
			in.Bad = fmt.Sprintf("type argument %d cannot be written in this package: %s", i+1, problem)
			return
		}
		in.Args = append(in.Args, t)
		names = append(names, types.TypeString(types.Unalias(args.At(i)), (*types.Package).Path))
	}
	in.Name = w.Name + "[" + strings.Join(names, ",") + "]"
	x.instanceReasons(in, w, info.Types[expr].Type)
}

// instanceReasons asks whether the instance can leave the process.
func (x *extractor) instanceReasons(in *model.Instance, w *model.Worker, t types.Type) {
	probe := &model.Worker{Name: w.Name, Pos: w.Pos, Func: w.Func, Bound: w.Bound}
	if sig, ok := t.(*types.Signature); ok && w.Func {
		in.Do = x.signature(types.NewFunc(w.Pos.Token, x.in.Types, w.Name, sig), sig, w.Pos)
		for i := range in.Do.Params {
			in.Do.Params[i].Bound = w.Do.Params[i].Bound
		}
		in.Locals = x.functionReasons(probe, sig)
		if len(in.Locals) == 0 {
			in.Travel = x.travel(probe, x.pkg.Path+"."+in.Name, nil, sig)
		}
		in.Arrays = x.arrays(nil, sig, probe)
		return
	}
	named, _ := types.Unalias(t).(*types.Named)
	if named == nil || w.Do == nil {
		in.Bad = fmt.Sprintf("%s is not a worker of this package", in.Text)
		return
	}
	self := x.methods(probe, named)
	in.Do, in.MapJob = probe.Do, probe.MapJob
	if in.Do == nil {
		in.Bad = w.Name + " has no method Do"
		return
	}
	in.Locals = x.workerReasons(probe, self)
	if len(in.Locals) == 0 && !x.misfit(self) {
		in.Travel = x.travel(probe, x.pkg.Path+"."+in.Name, self, nil)
	}
	in.Arrays = x.arrays(self, nil, probe)
}
