package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// unit writes the declarations of one worker.
type unit struct {
	*file
	w      *model.Worker
	plan   model.Plan
	params []string   // the names of its type parameters in the output
	args   []jen.Code // of an instance: what stands for the type parameters

	instanceOf []model.Type // the same as types

	specName string        // the function that makes its Spec
	travel   *model.Travel // how it leaves the process, or nil
}

func (f *file) unit(w *model.Worker) *unit {
	u := &unit{file: f, w: w, plan: w.Plan(), travel: w.Travel}
	local := map[string]bool{}
	for _, p := range w.TypeParams {
		name := p.Name
		if name == "_" {
			name = "T"
		}
		name = f.names.free(name, local)
		local[name] = true
		u.params = append(u.params, name)
	}
	u.specName = f.specs[w.Name]
	return u
}

// instanceUnit is the unit of an instance of w, a generic worker.
func (f *file) instanceUnit(w *model.Worker, in *model.Instance) *unit {
	inst := *w
	inst.Do, inst.MapJob, inst.TypeParams, inst.Bound = in.Do, in.MapJob, nil, nil
	for _, q := range in.Do.Params {
		if q.Bound {
			inst.Bound = append(inst.Bound, q)
		}
	}
	u := &unit{file: f, w: &inst, plan: w.Plan(), travel: in.Travel, args: f.types(in.Args, nil), instanceOf: in.Args}
	u.specName = f.names.helper("spec" + upper(w.Name) + f.arguments(in.Args) + f.suffix)
	return u
}

// called is how comments refer to the user's function.
func (u *unit) called() string {
	if u.w.Func {
		return u.w.Name
	}
	return u.w.Name + ".Do"
}

// declare writes a name with type parameters and their constraints; apply, with the parameters alone.
func (u *unit) declare(name string) *jen.Statement {
	s := jen.Id(name)
	if len(u.params) == 0 {
		return s
	}
	var list []jen.Code
	for i, p := range u.w.TypeParams {
		list = append(list, jen.Id(u.params[i]).Add(u.constraint(p.Constraint)))
	}
	return s.Types(list...)
}

// constraint writes a type parameter's constraint. One that begins with a star is written in full: a parser takes
// [P *int] for the length of an array.
func (u *unit) constraint(t model.Type) jen.Code {
	first := t
	if t.Kind == model.Union && !t.Embeds[0].Tilde {
		first = t.Embeds[0].Type
	}
	if first.Kind == model.Pointer {
		return jen.Interface(u.typ(t, u.params))
	}
	return u.typ(t, u.params)
}

func (u *unit) apply(name string) *jen.Statement {
	s := jen.Id(name)
	if len(u.args) > 0 {
		return s.Types(u.args...)
	}
	if len(u.params) == 0 {
		return s
	}
	var list []jen.Code
	for _, p := range u.params {
		list = append(list, jen.Id(p))
	}
	return s.Types(list...)
}

// in and out are the runner's input and result types.
func (u *unit) in() jen.Code {
	switch u.plan.In {
	case model.Counted:
		return u.predeclared("int")
	case model.Single:
		return u.typ(u.w.Inputs()[0].Type, u.params)
	case model.Mapped:
		return u.typ(u.w.MapJob.Params[0].Type, u.params)
	}
	return u.apply(u.plan.Job)
}

func (u *unit) out() jen.Code {
	switch u.plan.Out {
	case model.Empty:
		return jen.Struct()
	case model.Single:
		return u.typ(u.w.Do.Results[0].Type, u.params)
	}
	return u.apply(u.plan.Result)
}

func (u *unit) runner() jen.Code {
	inputs := "many inputs"
	if u.plan.In == model.Counted {
		inputs = "many jobs"
	}
	s := jen.Add(comment(
		fmt.Sprintf("%s runs %s over %s. Its methods Run, Stream, Unordered and Batch are", u.plan.Runner, u.w.Name, inputs),
		"those of jobgen.Runner."))
	if u.plan.Batch != "" {
		s = jen.Add(comment(
			fmt.Sprintf("%s runs %s over %s. Its methods Run, Stream and Unordered are those of", u.plan.Runner, u.w.Name, inputs),
			"jobgen.Runner."))
	}
	return s.Line().Type().Add(u.declare(u.plan.Runner)).Struct(u.runtime("Runner").Types(u.in(), u.out()))
}

func (u *unit) job() jen.Code {
	doc := fmt.Sprintf("%s is one input of %s: the parameters of %s.", u.plan.Job, u.plan.Runner, u.called())
	return jen.Add(comment(doc)).Line().Type().Add(u.declare(u.plan.Job)).Struct(u.fields(u.plan.JobFields)...)
}

func (u *unit) result() jen.Code {
	doc := fmt.Sprintf("%s is one result of %s: what %s returns.", u.plan.Result, u.plan.Runner, u.called())
	return jen.Add(comment(doc)).Line().Type().Add(u.declare(u.plan.Result)).Struct(u.fields(u.plan.ResultFields)...)
}

func (u *unit) fields(list []model.PlanField) []jen.Code {
	var out []jen.Code
	for _, fl := range list {
		out = append(out, jen.Id(fl.Name).Add(u.typ(fl.Type, u.params)))
	}
	return out
}

// context is the type context.Context; errorType and none are error and nil.
func (u *unit) context() jen.Code   { return jen.Qual("context", "Context") }
func (f *file) errorType() jen.Code { return f.predeclared("error") }

func (f *file) none() jen.Code {
	if _, ok := f.pkg.Shadowed["nil"]; ok {
		f.universe = true
		return jen.Qual(model.Universe, "Nil").Call()
	}
	return jen.Nil()
}

func (u *unit) yes() jen.Code {
	if _, ok := u.pkg.Shadowed["true"]; ok {
		u.universe = true
		return jen.Qual(model.Universe, "True")
	}
	return jen.True()
}

// options is the parameter opts ...jobgen.Option.
func (u *unit) options(name string) jen.Code {
	return jen.Id(name).Op("...").Add(u.runtime("Option"))
}

func (u *unit) runN() jen.Code {
	s := u.names.scope(u.params)
	r, ctx, n, opts := s.name("r"), s.name("ctx"), s.name("n"), s.name("opts")
	return jen.Add(comment("RunN runs the jobs 0 to n-1.")).Line().
		Func().Params(jen.Id(r).Op("*").Add(u.apply(u.plan.Runner))).Id("RunN").
		Params(jen.Id(ctx).Add(u.context()), jen.Id(n).Add(u.predeclared("int")), u.options(opts)).
		Params(jen.Index().Add(u.out()), u.errorType()).
		Block(jen.Return(u.runtime("RunN").Call(
			jen.Id(ctx), jen.Op("&").Id(r).Dot("Runner"), jen.Id(n), jen.Id(opts).Op("..."))))
}

// batch writes the typed batch, whose Submit takes the worker's own parameters.
func (u *unit) batch() jen.Code {
	s := u.names.scope(u.params)
	r, ctx, opts := s.name("r"), s.name("ctx"), s.name("opts")
	all := jen.Add(comment(fmt.Sprintf("%s is a batch of jobs that start when they are submitted.", u.plan.Batch))).Line().
		Type().Add(u.declare(u.plan.Batch)).Struct(jen.Op("*").Add(u.runtime("Batch").Types(u.in(), u.out()))).
		Line().Line()
	all.Add(comment("Batch starts a batch.")).Line().
		Func().Params(jen.Id(r).Op("*").Add(u.apply(u.plan.Runner))).Id("Batch").
		Params(jen.Id(ctx).Add(u.context()), u.options(opts)).Op("*").Add(u.apply(u.plan.Batch)).
		Block(jen.Return(jen.Op("&").Add(u.apply(u.plan.Batch)).Values(
			jen.Id(r).Dot("Runner").Dot("Batch").Call(jen.Id(ctx), jen.Id(opts).Op("...")))))

	s = u.names.scope(u.params)
	var params, values []jen.Code
	for i, q := range u.w.Inputs() {
		if u.plan.In == model.Counted {
			break
		}
		name := q.Name
		if q.Blank() {
			name = fmt.Sprintf("arg%d", i)
		}
		name = s.name(name)
		params = append(params, jen.Id(name).Add(u.param(i, q)))
		values = append(values, jen.Id(u.plan.JobFields[i].Name).Op(":").Id(name))
	}
	b := s.name("b") // after the user's own names, which callers see
	job := jen.Code(jen.Lit(0))
	if u.plan.In == model.Several {
		job = u.apply(u.plan.Job).Values(values...)
	}
	return all.Line().Line().Add(comment("Submit adds a job to the batch.")).Line().
		Func().Params(jen.Id(b).Op("*").Add(u.apply(u.plan.Batch))).Id("Submit").Params(params...).
		Op("*").Add(u.runtime("Future").Types(u.out())).
		Block(jen.Return(jen.Id(b).Dot("Batch").Dot("Submit").Call(job)))
}

// param is the type of Do's i-th input as written in a parameter list.
func (u *unit) param(i int, q model.Param) jen.Code {
	inputs := u.w.Inputs()
	last := u.w.Do.Params[len(u.w.Do.Params)-1]
	if u.w.Do.Variadic && i == len(inputs)-1 && !last.Bound {
		return jen.Op("...").Add(u.typ(*q.Type.Elem, u.params))
	}
	return u.typ(q.Type, u.params)
}
