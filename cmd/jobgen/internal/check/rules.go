package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/directive"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// binds checks the names in bind=.
func binds(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, w := range p.Workers {
		var have []string
		if w.Func {
			for _, q := range w.Do.Params {
				if !q.Blank() {
					have = append(have, q.Name)
				}
			}
		}
		seen := map[string]bool{}
		for _, b := range w.Bind {
			switch {
			case b.Value == "" && len(w.Bind) == 1: // reported with the directive
			case b.Value == "":
				ds = append(ds, model.Diagnostic{Code: model.BadBind, Pos: b.Pos, Message: "bind= has nothing between two commas"})
			case seen[b.Value]:
				ds = append(ds, model.Diagnostic{Code: model.BadBind, Pos: b.Pos, Message: fmt.Sprintf("bind= names %s twice", b.Value)})
			case !contains(have, b.Value):
				d := model.Diagnostic{Code: model.BadBind, Pos: b.Pos, Message: fmt.Sprintf("%s has no parameter %q to bind", w.Name, b.Value)}
				if s := directive.Suggest(b.Value, have); s != "" {
					d.Remedy = "did you mean " + s + "?"
				} else if len(have) > 0 {
					d.Remedy = "it has " + strings.Join(have, ", ")
				}
				ds = append(ds, d)
			}
			seen[b.Value] = true
		}
	}
	return ds
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// names checks that what the output declares is not declared already.
func names(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	owner := map[string]*model.Worker{}
	for _, w := range p.Workers {
		if w.Do == nil || w.Interface || w.Nameless() {
			continue
		}
		for _, name := range w.Plan().Names() {
			if at, ok := p.Scope[name]; ok {
				ds = append(ds, model.Diagnostic{Code: model.NameTaken, Pos: at,
					Message: fmt.Sprintf("%s is a name that the generated code of worker %s needs", name, w.Name),
					Remedy:  fmt.Sprintf("rename this declaration, or the worker at %s", w.Pos.Short())})
			} else if o := owner[name]; o != nil {
				ds = append(ds, model.Diagnostic{Code: model.SameName, Pos: w.Pos,
					Message: fmt.Sprintf("the workers %s and %s (%s) both need the name %s", w.Name, o.Name, o.Pos.Short(), name)})
			} else {
				owner[name] = w
			}
		}
		for typ, members := range w.Plan().Members() {
			if _, ok := p.Scope[typ]; ok {
				continue // said above
			}
			for _, name := range members {
				if at, ok := p.Methods[typ][name]; ok {
					ds = append(ds, model.Diagnostic{Code: model.NameTaken, Pos: at,
						Message: fmt.Sprintf("%s.%s is a name that the generated code of worker %s needs", typ, name, w.Name),
						Remedy:  fmt.Sprintf("rename this method, or the worker at %s", w.Pos.Short())})
				}
			}
		}
	}
	return ds
}

// locks reports the locks inside a worker's value.
func locks(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, w := range p.Workers {
		for _, r := range w.Locks {
			ds = append(ds, model.Diagnostic{Code: model.LockInside, Pos: r.Pos,
				Message: fmt.Sprintf("%s of worker %s %s", r.What, w.Name, r.Why)})
		}
	}
	return ds
}

// remotes reports why workers that must be able to leave their process cannot.
func remotes(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, w := range p.Workers {
		if !w.Remote {
			continue
		}
		if len(w.TypeParams) == 0 {
			for _, r := range w.Locals {
				ds = append(ds, model.Diagnostic{Code: model.CannotTravel, Pos: r.Pos,
					Message: fmt.Sprintf("%s is marked remote, but %s %s", w.Name, r.What, r.Why)})
			}
			continue
		}
		any := false
		for _, in := range p.Instances {
			if in.Worker != w.Name || in.Bad != "" {
				continue
			}
			any = true
			for _, r := range in.Locals {
				ds = append(ds, model.Diagnostic{Code: model.CannotTravel, Pos: in.Pos,
					Message: fmt.Sprintf("%s is marked remote, but in %s %s", w.Name, in.Text, r)})
			}
		}
		if !any {
			ds = append(ds, model.Diagnostic{Code: model.CannotTravel, Pos: w.Pos,
				Message: fmt.Sprintf("%s is marked remote, but it is generic and no instance of it is registered", w.Name),
				Remedy:  fmt.Sprintf("add //jobgen:instantiate %s[types], or drop remote", w.Name)})
		}
	}
	return ds
}

// arrays reports the shared arrays that nobody could allocate.
func arrays(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, w := range p.Workers {
		for _, r := range w.Arrays {
			ds = append(ds, model.Diagnostic{Code: model.ArrayElement, Pos: r.Pos,
				Message: fmt.Sprintf("%s of worker %s %s", r.What, w.Name, r.Why)})
		}
	}
	for _, in := range p.Instances {
		for _, r := range in.Arrays {
			if w := p.Worker(in.Worker); w != nil && slices.ContainsFunc(w.Arrays, func(q model.Reason) bool { return q.Pos == r.Pos }) {
				continue // of all instances alike
			}
			ds = append(ds, model.Diagnostic{Code: model.ArrayElement, Pos: in.Pos,
				Message: fmt.Sprintf("%s of %s %s (%s)", r.What, in.Text, r.Why, r.Pos.Short())})
		}
	}
	return ds
}

// instances reports the //jobgen:instantiate lines that are none.
func instances(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	seen := map[string]bool{}
	for _, in := range p.Instances {
		if in.Bad != "" {
			ds = append(ds, model.Diagnostic{Code: model.BadInstance, Pos: in.Pos, Message: in.Bad})
			continue
		}
		key := in.Worker + "["
		for _, a := range in.Args {
			key += a.Text("", nil) + ","
		}
		if seen[key] {
			ds = append(ds, model.Diagnostic{Code: model.Twice, Pos: in.Pos, Message: in.Text + " is registered twice"})
		}
		seen[key] = true
	}
	return ds
}
