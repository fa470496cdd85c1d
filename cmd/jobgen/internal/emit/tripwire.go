package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// tripwires writes the lines that stop compiling when a signature changes.
func (u *unit) tripwires() []jen.Code {
	var code []jen.Code
	methods := []*model.Method{u.w.Do}
	if u.w.MapJob != nil {
		methods = append(methods, u.w.MapJob)
	}
	for _, m := range methods {
		name := u.called()
		if m != u.w.Do {
			name = u.w.Name + "." + m.Name
		}
		code = append(code, comment(fmt.Sprintf("Run go generate if this line does not compile: the signature of %s has changed.", name)), jen.Line())
		line := jen.Var().Id("_").Add(u.functionType(m)).Op("=").Add(u.function(m))
		if len(u.params) > 0 {
			line = jen.Func().Add(u.declare("_")).Params().Block(line)
		}
		code = append(code, line, jen.Line(), jen.Line())
	}
	return code
}

// function is the user's function as a value: (*X).Do, or the function's name.
func (u *unit) function(m *model.Method) jen.Code {
	if u.w.Func {
		return u.apply(u.w.Name)
	}
	return jen.Parens(jen.Op("*").Add(u.apply(u.w.Name))).Dot(m.Name)
}

// functionType writes the signature out. Names are given where they count, which is where they become
// those of a generated struct's fields.
func (u *unit) functionType(m *model.Method) jen.Code {
	return u.functionTypeOf(m, u.apply(u.w.Name), m == u.w.Do && u.plan.In == model.Several, u.params)
}

func (u *unit) functionTypeOf(m *model.Method, self jen.Code, named bool, tparams []string) jen.Code {
	item := func(name string, t jen.Code) jen.Code {
		if !named {
			return t
		}
		if name == "" {
			name = "_"
		}
		return jen.Id(name).Add(t)
	}
	var params, results []jen.Code
	if !u.w.Func {
		params = append(params, item("_", jen.Op("*").Add(self)))
	}
	if m.Context {
		params = append(params, item("_", u.context()))
	}
	for i, q := range m.Params {
		t := u.typ(q.Type, tparams)
		if m.Variadic && i == len(m.Params)-1 {
			t = jen.Op("...").Add(u.typ(*q.Type.Elem, tparams))
		}
		params = append(params, item(q.Name, t))
	}
	for _, q := range m.Results {
		results = append(results, u.typ(q.Type, tparams))
	}
	if m.Error {
		results = append(results, u.errorType())
	}
	f := jen.Func().Params(params...)
	switch len(results) {
	case 0:
		return f
	case 1:
		return f.Add(results[0])
	}
	return f.Params(results...)
}

// instance writes the use of a registered instance that stops compiling when there is no such instance.
func (f *file) instance(g *jen.File, w *model.Worker, in *model.Instance) {
	u := f.instanceUnit(w, in)
	if u.travel != nil {
		g.Add(u.instanceSpec(in)).Line()
	}
	self := jen.Id(w.Name).Types(f.types(in.Args, nil)...)
	value := jen.Code(self)
	if !w.Func {
		value = jen.Parens(jen.Op("*").Add(self)).Dot("Do")
	}
	g.Add(comment(fmt.Sprintf("Run go generate if this line does not compile: %s was //jobgen:instantiate'd.", in.Text)))
	g.Var().Id("_").Add(u.functionTypeOf(in.Do, jen.Id(w.Name).Types(f.types(in.Args, nil)...), false, nil)).Op("=").Add(value)
	g.Line()
}
