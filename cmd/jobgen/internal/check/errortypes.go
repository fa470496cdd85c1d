package check

import (
	"fmt"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// errorTypes reports what keeps types marked //jobgen:error from travelling.
func errorTypes(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, e := range p.Errors {
		switch {
		case e.Name == "_":
			ds = append(ds, model.Diagnostic{Code: model.Misplaced, Pos: e.Pos,
				Message: "//jobgen:error stands on a type that is called _, which nothing can refer to", Remedy: "give it another name"})
			continue
		case e.Interface:
			ds = append(ds, model.Diagnostic{Code: model.NoError, Pos: e.Pos, Message: e.Name + " is an interface",
				Remedy: "put the directive on the types that implement it"})
			continue
		case e.Generic:
			ds = append(ds, model.Diagnostic{Code: model.GenericError, Pos: e.Pos, Message: e.Name + " has type parameters"})
			continue
		case !e.Pointer:
			d := model.Diagnostic{Code: model.NoError, Pos: e.Pos, Message: e.Name + " is no error"}
			if e.Other != "" {
				d.Message += ": " + e.Other
			}
			ds = append(ds, d)
			continue
		}
		for _, r := range e.Unresolved {
			ds = append(ds, model.Diagnostic{Code: model.Unresolved, Pos: r.Pos,
				Message: fmt.Sprintf("%s of error type %s: %s", r.What, e.Name, r.Why)})
		}
		for _, r := range e.Locals {
			ds = append(ds, model.Diagnostic{Code: model.ErrorField, Pos: r.Pos,
				Message: fmt.Sprintf("%s of error type %s %s", r.What, e.Name, r.Why)})
		}
	}
	return ds
}
