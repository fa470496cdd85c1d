package check

import (
	"fmt"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/directive"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// directives checks the //jobgen: lines themselves. No line is ignored: a typo that is would look like
// a worker for which nothing is generated.
func directives(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, d := range p.Directives {
		switch {
		case d.Spaced:
			ds = append(ds, model.Diagnostic{Code: model.Spaced, Pos: d.Pos,
				Message: fmt.Sprintf("\"// jobgen:%s\" is an ordinary comment because of the space", d.Verb),
				Remedy:  "write //jobgen:" + d.Verb})
		case d.Bad != "":
			ds = append(ds, model.Diagnostic{Code: model.UnknownVerb, Pos: d.Pos, Message: d.Bad})
		case d.Verb == "worker":
			ds = append(ds, worker(d)...)
		case d.Verb == "error":
			ds = append(ds, errorDirective(d)...)
		case d.Verb == "instantiate":
			if d.Claim == model.InFunc {
				ds = append(ds, model.Diagnostic{Code: model.Misplaced, Pos: d.Pos,
					Message: "//jobgen:instantiate stands in a function", Remedy: "put it at the top level of the file"})
			}
		default:
			ds = append(ds, unknown(model.UnknownVerb, d.Pos, "unknown directive //jobgen:"+d.Verb, "//jobgen:", d.Verb, directive.Verbs))
		}
	}
	return ds
}

func unknown(code model.Code, at model.Pos, message, prefix, word string, candidates []string) model.Diagnostic {
	d := model.Diagnostic{Code: code, Pos: at, Message: message}
	if s := directive.Suggest(word, candidates); s != "" {
		d.Remedy = "did you mean " + prefix + s + "?"
	}
	return d
}

func worker(d model.Directive) []model.Diagnostic {
	if ds := placement(d); ds != nil {
		return ds
	}
	var ds []model.Diagnostic
	seen := map[string]bool{}
	for _, a := range d.Args {
		switch {
		case a.Key == "remote" && a.HasValue:
			ds = append(ds, model.Diagnostic{Code: model.UnknownKey, Pos: a.Pos,
				Message: "remote takes no value", Remedy: "write remote alone"})
		case a.Key == "bind" && d.Claim == model.OnType:
			ds = append(ds, model.Diagnostic{Code: model.BadBind, Pos: a.Pos,
				Message: "bind= is for functions", Remedy: "a type keeps its configuration in exported fields"})
		case a.Key == "bind" && a.Value == "":
			ds = append(ds, model.Diagnostic{Code: model.BadBind, Pos: a.Pos, Message: "bind names no parameter",
				Remedy: "write bind=name, or bind=name,name"})
		case a.Key == "remote" || a.Key == "bind":
			if seen[a.Key] {
				ds = append(ds, model.Diagnostic{Code: model.Twice, Pos: a.Pos, Message: a.Key + " is given twice"})
			}
			seen[a.Key] = true
		default:
			ds = append(ds, unknown(model.UnknownKey, a.Pos, fmt.Sprintf("//jobgen:worker does not know %q", a.Key), "", a.Key, directive.Keys["worker"]))
		}
	}
	return ds
}

// errorDirective checks a line that marks an error type.
func errorDirective(d model.Directive) []model.Diagnostic {
	ds := placement(d)
	if d.Claim == model.OnFunc {
		ds = []model.Diagnostic{{Code: model.Misplaced, Pos: d.Pos, Message: "//jobgen:error stands on a function",
			Remedy: "put it on the type of the error"}}
	}
	for _, a := range d.Args {
		if ds == nil {
			ds = append(ds, model.Diagnostic{Code: model.UnknownKey, Pos: a.Pos,
				Message: fmt.Sprintf("//jobgen:error does not know %q", a.Key), Remedy: "write //jobgen:error alone"})
		}
	}
	return ds
}

// placement checks what a directive for a declaration stands on.
func placement(d model.Directive) []model.Diagnostic {
	verb := "//jobgen:" + d.Verb
	out := model.Diagnostic{Code: model.Misplaced, Pos: d.Pos}
	switch d.Claim {
	case model.OnType, model.OnFunc:
		if !d.Second {
			return nil
		}
		out.Code, out.Message = model.Twice, verb+" stands twice on one declaration"
	case model.OnAlias:
		out.Code, out.Message = model.AliasWorker, verb+" stands on an alias"
	case model.OnMethod:
		out.Message = verb + " stands on a method"
		out.Remedy = "put it on the receiver's type, and name the method Do"
		if d.Verb == "error" {
			out.Remedy = "put it on the receiver's type"
		}
	case model.OnGroup:
		out.Message = verb + " stands on a group of types"
		out.Remedy = "put it on one type of the group"
	case model.OnValue:
		out.Message = verb + " stands on something that is neither a type nor a function"
	case model.InFunc:
		out.Message = verb + " stands in a function"
		out.Remedy = "generated code cannot name what a function declares: move it to the top level of the file"
	case model.AfterDecl:
		out.Message = verb + " stands behind a declaration"
		out.Remedy = "put it in the doc comment above"
	case model.InStructure:
		out.Message = verb + " stands inside a declaration"
	default:
		out.Message = verb + " stands on nothing"
	}
	return []model.Diagnostic{out}
}
