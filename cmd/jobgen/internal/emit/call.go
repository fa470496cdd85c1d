package emit

import (
	"fmt"
	"path/filepath"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// locals are the names of the variables in a constructor.
type locals struct {
	w, opts           string
	ctx, in, out, err string
	b, d, rest, spec  string
	bound             map[string]string // the user's names of bound parameters -> the output's
	args              []string          // what MapJob returns
}

func (u *unit) locals() locals {
	s := u.names.scope(u.params)
	l := locals{bound: map[string]string{}}
	// The user's own names come first: they are what callers see.
	for _, b := range u.w.Bound {
		l.bound[b.Name] = s.name(b.Name)
	}
	l.w, l.opts = s.name("w"), s.name("opts")
	l.ctx, l.in, l.out, l.err = s.name("ctx"), s.name("in"), s.name("out"), s.name("err")
	l.b, l.d, l.rest, l.spec = s.name("b"), s.name("d"), s.name("rest"), s.name("spec")
	if u.w.MapJob != nil {
		for i := range u.w.MapJob.Results {
			l.args = append(l.args, s.name(fmt.Sprintf("a%d", i)))
		}
	}
	return l
}

// constructor writes NewXRunner.
func (u *unit) constructor() jen.Code {
	l := u.locals()
	doc := []string{fmt.Sprintf("%s makes a runner of %s.", u.plan.New, u.w.Name)}
	if !u.w.Func {
		doc = []string{fmt.Sprintf("%s makes a runner whose workers are copies of %s.", u.plan.New, l.w)}
	}
	doc = append(doc, fmt.Sprintf("The options %s hold for every run; those of a single call override them.", l.opts))
	params := u.settingParams(l)
	params = append(params, u.options(l.opts))
	return jen.Add(comment(doc...)).Line().Func().Add(u.declare(u.plan.New)).Params(params...).Op("*").Add(u.apply(u.plan.Runner)).
		Block(jen.Return(jen.Op("&").Add(u.apply(u.plan.Runner)).Values(
			u.runtime("NewRunner").Call(u.apply(u.specName).Call(u.settings(l)...), jen.Id(l.opts).Op("...")))))
}

// settings are the values that a worker is configured with: its own, or those of a function's bound parameters.
func (u *unit) settings(l locals) []jen.Code {
	if !u.w.Func {
		return []jen.Code{jen.Id(l.w)}
	}
	var values []jen.Code
	for _, b := range u.w.Bound {
		values = append(values, jen.Id(l.bound[b.Name]))
	}
	return values
}

// settingParams are the same as parameters.
func (u *unit) settingParams(l locals) []jen.Code {
	if !u.w.Func {
		return []jen.Code{jen.Id(l.w).Add(u.apply(u.w.Name))}
	}
	var params []jen.Code
	for _, b := range u.w.Bound {
		params = append(params, jen.Id(l.bound[b.Name]).Add(u.typ(b.Type, u.params)))
	}
	return params
}

// specFunc writes the function that describes the worker to the runtime, and its registration.
func (u *unit) specFunc() jen.Code {
	l := u.locals()
	s := jen.Add(comment(fmt.Sprintf("%s describes %s to the runtime.", u.specName, u.w.Name))).Line().
		Func().Add(u.declare(u.specName)).Params(u.settingParams(l)...).Add(u.specType()).Block(jen.Return(u.spec(l)))
	if u.travel != nil {
		s.Line().Line().Add(u.register())
	}
	return s
}

// specType is the type jobgen.Spec[In, Out].
func (u *unit) specType() *jen.Statement { return u.runtime("Spec").Types(u.in(), u.out()) }

func (u *unit) spec(l locals) jen.Code {
	types := []jen.Code{u.in(), u.out()}
	fields := []jen.Code{
		jen.Id("Name").Op(":").Lit(u.pkg.Qualified(u.w)),
		// Without the line: it would change the output whenever something is written above the worker.
		jen.Id("Pos").Op(":").Lit(filepath.Base(u.w.File)),
	}
	if u.plan.Out == model.Several {
		fields = append(fields, jen.Id("Multi").Op(":").Add(u.yes()))
	}
	if len(u.w.Locals) > 0 {
		fields = append(fields, jen.Id("Local").Op(":").Lit(localText(u.w)))
	}
	var body []jen.Code
	if !u.w.Func {
		body = append(body, jen.Id(l.w).Op(":=").Id(l.w).Comment("this worker's own copy"))
	}
	body = append(body, jen.Return(u.runtime("Instance").Types(types...).Values(u.instanceFields(l)...)))
	fields = append(fields, jen.Id("New").Op(":").Func().Params().Add(u.runtime("Instance").Types(types...)).Block(body...))
	if u.travel != nil {
		fields = append(fields, jen.Id("Wire").Op(":").Add(u.wire(l)))
	}
	if len(u.params) > 0 {
		find := u.runtime("FindInstance").Types(u.apply(u.plan.Runner)).Call(u.apply(u.specName)).Call(u.settings(l)...)
		fields = append(fields, jen.Id("Instance").Op(":").Func().Params().Add(u.specType()).Block(jen.Return(find)))
	}
	return u.specType().Values(lines(fields)...)
}

// localText limits the reasons that are written into the output; jobgen explain has them all.
func localText(w *model.Worker) string {
	const most = 3
	if n := len(w.Locals); n > most {
		return fmt.Sprintf("%s; and %d more, see jobgen explain %s", model.LocalText(w.Locals[:most]), n-most, w.Name)
	}
	return model.LocalText(w.Locals)
}

// lines puts every value on a line of its own.
func lines(values []jen.Code) []jen.Code {
	var out []jen.Code
	for _, v := range values {
		out = append(out, jen.Line().Add(v))
	}
	return append(out, jen.Line())
}

func (u *unit) instanceFields(l locals) []jen.Code {
	var setup, done []jen.Code
	if u.w.Setup != nil {
		setup = []jen.Code{jen.Id("Setup").Op(":").Add(u.setup(l))}
	}
	if u.w.Close != nil {
		done = []jen.Code{jen.Id("Close").Op(":").Add(u.close(l))}
	}
	do := jen.Id("Do").Op(":").Add(u.do(l))
	fields := append(append(setup, do), done...)
	if len(fields) == 1 {
		return fields
	}
	return lines(fields)
}

func (u *unit) setup(l locals) jen.Code {
	m := u.w.Setup
	call := jen.Id(l.w).Dot("Setup")
	if m.Context && m.Error && m.Direct {
		return call
	}
	ctx := jen.Null()
	if m.Context {
		call = call.Call(jen.Id(l.ctx))
		ctx = jen.Id(l.ctx)
	} else {
		call = call.Call()
	}
	f := jen.Func().Params(ctx.Add(u.context())).Add(u.errorType())
	if m.Error {
		return f.Block(jen.Return(call))
	}
	return f.Block(call, jen.Return(u.none()))
}

func (u *unit) close(l locals) jen.Code {
	call := jen.Id(l.w).Dot("Close")
	if u.w.Close.Error && u.w.Close.Direct {
		return call
	}
	f := jen.Func().Params().Add(u.errorType())
	if u.w.Close.Error {
		return f.Block(jen.Return(call.Call()))
	}
	return f.Block(call.Call(), jen.Return(u.none()))
}

// do writes the function from one input to one result: Do itself where its signature is just that,
// otherwise an adapter. A method value of a value receiver would be bound to the worker as it is before
// Setup, and so is an adapter's business, too.
func (u *unit) do(l locals) jen.Code {
	m := u.w.Do
	callee := jen.Id(l.w).Dot("Do")
	if u.w.Func {
		callee = u.apply(u.w.Name)
	}
	if u.plan.In == model.Single && u.plan.Out == model.Single && m.Context && m.Error && !m.Variadic && len(u.w.Bound) == 0 && (m.Direct || u.w.Func) {
		return callee
	}
	usesCtx := m.Context || u.w.MapJob != nil && u.w.MapJob.Context
	ctx, in := "_", "_"
	if usesCtx {
		ctx = l.ctx
	}
	if u.plan.In != model.Counted {
		in = l.in
	}
	params := []jen.Code{jen.Id(ctx).Add(u.context()), jen.Id(in).Add(u.in())}
	call := callee.Call(u.arguments(l)...)
	named := u.w.MapJob != nil && u.w.MapJob.Error || u.plan.Out == model.Several
	f := jen.Func().Params(params...)
	if named {
		f = f.Params(jen.Id(l.out).Add(u.out()), jen.Id(l.err).Add(u.errorType()))
	} else {
		f = f.Params(u.out(), u.errorType())
	}
	return f.Block(append(u.mapJob(l), u.finish(l, call)...)...)
}

// mapJob turns the spec into Do's arguments.
func (u *unit) mapJob(l locals) []jen.Code {
	m := u.w.MapJob
	if m == nil {
		return nil
	}
	var args, into []jen.Code
	if m.Context {
		args = append(args, jen.Id(l.ctx))
	}
	args = append(args, jen.Id(l.in))
	for _, a := range l.args {
		into = append(into, jen.Id(a))
	}
	if m.Error {
		into = append(into, jen.Id(l.err))
	}
	call := jen.Id(l.w).Dot("MapJob").Call(args...)
	if len(into) == 0 {
		return []jen.Code{call}
	}
	op := ":="
	if len(l.args) == 0 {
		op = "="
	}
	code := []jen.Code{jen.List(into...).Op(op).Add(call)}
	if m.Error {
		code = append(code, jen.If(jen.Id(l.err).Op("!=").Add(u.none())).Block(jen.Return(jen.Id(l.out), jen.Id(l.err))))
	}
	return code
}

// arguments are what the adapter calls Do with.
func (u *unit) arguments(l locals) []jen.Code {
	m := u.w.Do
	var args []jen.Code
	if m.Context {
		args = append(args, jen.Id(l.ctx))
	}
	input := 0
	for i, q := range m.Params {
		var a *jen.Statement
		switch {
		case q.Bound:
			a = jen.Id(l.bound[q.Name])
		case u.plan.In == model.Mapped:
			a = jen.Id(l.args[i])
		case u.plan.In == model.Single:
			a = jen.Id(l.in)
		default:
			a = jen.Id(l.in).Dot(u.plan.JobFields[input].Name)
			input++
		}
		if m.Variadic && i == len(m.Params)-1 {
			a.Op("...")
		}
		args = append(args, a)
	}
	return args
}

// finish calls Do and brings what it returns into the form (Out, error).
func (u *unit) finish(l locals, call *jen.Statement) []jen.Code {
	m := u.w.Do
	switch u.plan.Out {
	case model.Empty:
		if m.Error {
			return []jen.Code{jen.Return(jen.Struct().Values(), call)}
		}
		return []jen.Code{call, jen.Return(jen.Struct().Values(), u.none())}
	case model.Single:
		if m.Error {
			return []jen.Code{jen.Return(call)}
		}
		return []jen.Code{jen.Return(call, u.none())}
	}
	var into []jen.Code
	for _, fl := range u.plan.ResultFields {
		into = append(into, jen.Id(l.out).Dot(fl.Name))
	}
	if !m.Error {
		return []jen.Code{jen.List(into...).Op("=").Add(call), jen.Return(jen.Id(l.out), u.none())}
	}
	into = append(into, jen.Id(l.err))
	return []jen.Code{
		jen.List(into...).Op("=").Add(call),
		jen.If(jen.Id(l.err).Op("!=").Add(u.none())).Block(jen.Return(u.apply(u.plan.Result).Values(), jen.Id(l.err))),
		jen.Return(jen.Id(l.out), jen.Id(l.err)),
	}
}
