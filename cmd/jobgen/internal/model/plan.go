package model

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Plan is what the output declares for a worker: names and types, decided once, so that check sees
// the names that emit will write.
type Plan struct {
	Runner, New, Job, Result, Batch string // names; empty where the output has no such declaration

	JobFields    []PlanField // of the struct Job, one for each of Do's parameters
	ResultFields []PlanField // of the struct Result, one for each of Do's results

	In  Shape
	Out Shape

	RunN bool // the input is an integer type
}

// PlanField is a field of a generated struct.
type PlanField struct {
	Name string
	Type Type
}

// Shape is the runner's input or result type: one that exists, or one of the generated structs.
type Shape int

const (
	Empty   Shape = iota // result: struct{}
	Counted              // input: int, the job's number
	Single               // the type of the only parameter or result
	Several              // the generated struct
	Mapped               // input: MapJob's parameter
)

// Plan decides what the output declares for w, whose Do is not nil.
func (w *Worker) Plan() Plan {
	exported := isExported(w.Name)
	p := Plan{Runner: w.Name + "Runner"}
	if exported {
		p.New = "New" + w.Name + "Runner"
	} else {
		p.New = "new" + upper(w.Name) + "Runner"
	}
	inputs := w.Inputs()
	switch {
	case w.MapJob != nil:
		p.In = Mapped
		p.RunN = len(w.MapJob.Params) == 1 && w.MapJob.Params[0].Integer
	case len(inputs) == 0:
		p.In = Counted
		p.RunN = true
		p.Batch = w.Name + "Batch"
	case len(inputs) == 1:
		p.In = Single
		p.RunN = inputs[0].Integer
	default:
		p.In = Several
		p.Job = w.Name + "Job"
		p.JobFields = fields(inputs, "Arg")
		p.Batch = w.Name + "Batch"
	}
	switch len(w.Do.Results) {
	case 0:
		p.Out = Empty
	case 1:
		p.Out = Single
	default:
		p.Out = Several
		p.Result = w.Name + "Result"
		p.ResultFields = fields(w.Do.Results, "R")
	}
	return p
}

// Names are the package-level names that the plan declares.
func (p Plan) Names() []string {
	var names []string
	for _, n := range []string{p.Runner, p.New, p.Job, p.Result, p.Batch} {
		if n != "" {
			names = append(names, n)
		}
	}
	return names
}

// Members are the fields and methods that the plan declares, by the name of their type.
func (p Plan) Members() map[string][]string {
	all := map[string][]string{p.Runner: {"Runner"}}
	if p.RunN {
		all[p.Runner] = append(all[p.Runner], "RunN")
	}
	if p.Batch != "" {
		all[p.Runner] = append(all[p.Runner], "Batch")
		all[p.Batch] = []string{"Batch", "Submit"}
	}
	for _, f := range p.JobFields {
		all[p.Job] = append(all[p.Job], f.Name)
	}
	for _, f := range p.ResultFields {
		all[p.Result] = append(all[p.Result], f.Name)
	}
	return all
}

// Inputs are Do's parameters without the bound ones.
func (w *Worker) Inputs() []Param {
	var in []Param
	for _, p := range w.Do.Params {
		if !p.Bound {
			in = append(in, p)
		}
	}
	return in
}

// fields gives each parameter an exported field name; a name that is taken already gets a number.
func fields(params []Param, blank string) []PlanField {
	taken := map[string]bool{}
	var out []PlanField
	for i, p := range params {
		name := Export(p.Name)
		if name == "" {
			name = fmt.Sprintf("%s%d", blank, i)
		}
		unique := name
		for n := 2; taken[unique]; n++ {
			unique = fmt.Sprintf("%s%d", name, n)
		}
		taken[unique] = true
		out = append(out, PlanField{Name: unique, Type: p.Type})
	}
	return out
}

// Export turns a parameter's name into that of an exported field; "" if nothing is left of it.
// A letter that has no upper case gets an X before it, as Go programmers write it by hand.
func Export(name string) string {
	for len(name) > 0 && name[0] == '_' {
		name = name[1:]
	}
	if name == "" {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(name)
	if unicode.IsDigit(r) {
		return "X" + name
	}
	if up := upper(name); isExported(up) {
		return up
	}
	return "X" + name
}

// isExported says whether a name is exported.
func isExported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r)
}

func upper(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[n:]
}
