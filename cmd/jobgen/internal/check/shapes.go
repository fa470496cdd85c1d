package check

import (
	"fmt"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// shapes checks that jobgen can call the workers' methods and name the types in their signatures.
func shapes(p *model.Package) []model.Diagnostic {
	var ds []model.Diagnostic
	for _, w := range p.Workers {
		if w.Nameless() {
			ds = append(ds, nameless(w))
			continue
		}
		if w.Interface {
			ds = append(ds, model.Diagnostic{Code: model.InterfaceKind, Pos: w.Pos, Message: w.Name + " is an interface"})
			continue
		}
		if w.Do == nil {
			ds = append(ds, noDo(w))
			continue
		}
		ds = append(ds, signature(p, w, w.Do)...)
		if m := w.MapJob; m != nil {
			ds = append(ds, mapJob(p, w)...)
			ds = append(ds, signature(p, w, m)...)
		}
		if m := w.Setup; m != nil && len(m.Params)+len(m.Results) > 0 {
			ds = append(ds, model.Diagnostic{Code: model.SetupShape, Pos: m.Pos,
				Message: fmt.Sprintf("%s.Setup%s is not a Setup that jobgen can call", w.Name, Signature(p, w, m))})
		}
		if m := w.Close; m != nil && (m.Context || len(m.Params)+len(m.Results) > 0) {
			ds = append(ds, model.Diagnostic{Code: model.CloseShape, Pos: m.Pos,
				Message: fmt.Sprintf("%s.Close%s is not a Close that jobgen can call", w.Name, Signature(p, w, m))})
		}
	}
	return ds
}

func noDo(w *model.Worker) model.Diagnostic {
	for _, h := range w.Hidden {
		if h.Name == "Do" {
			return model.Diagnostic{Code: model.NoDo, Pos: h.Pos, Message: fmt.Sprintf("%s.Do is %s, not a method", w.Name, h.What)}
		}
	}
	return model.Diagnostic{Code: model.NoDo, Pos: w.Pos, Message: w.Name + " has no method Do"}
}

// nameless says that generated code cannot refer to a worker.
func nameless(w *model.Worker) model.Diagnostic {
	kind := "type"
	if w.Func {
		kind = "function"
	}
	return model.Diagnostic{Code: model.Misplaced, Pos: w.Pos,
		Message: fmt.Sprintf("//jobgen:worker stands on a %s that is called %s, which nothing can refer to", kind, w.Name),
		Remedy:  "give it another name"}
}

// called is how messages refer to a worker's function.
func called(w *model.Worker, m *model.Method) string {
	if w.Func {
		return w.Name
	}
	return w.Name + "." + m.Name
}

func signature(p *model.Package, w *model.Worker, m *model.Method) []model.Diagnostic {
	var ds []model.Diagnostic
	look := func(kind string, i int, q model.Param) {
		name := fmt.Sprintf("%s %d", kind, i+1)
		if !q.Blank() {
			name = kind + " " + q.Name
		}
		if q.Unresolved != "" {
			ds = append(ds, model.Diagnostic{Code: model.Unresolved, Pos: q.Pos,
				Message: fmt.Sprintf("%s of %s: %s", name, called(w, m), q.Unresolved)})
		} else if q.Unwritable != "" {
			ds = append(ds, model.Diagnostic{Code: model.Unwritable, Pos: q.Pos,
				Message: fmt.Sprintf("%s of %s: %s", name, called(w, m), q.Unwritable)})
		}
	}
	for i, q := range m.Params {
		look("parameter", i, q)
	}
	for i, q := range m.Results {
		look("result", i, q)
	}
	return ds
}

func mapJob(p *model.Package, w *model.Worker) []model.Diagnostic {
	m := w.MapJob
	if len(m.Params) != 1 || m.Variadic {
		return []model.Diagnostic{{Code: model.MapJobShape, Pos: m.Pos,
			Message: fmt.Sprintf("%s.MapJob%s does not take exactly one value besides ctx", w.Name, Signature(p, w, m))}}
	}
	if w.Misfit {
		return []model.Diagnostic{{Code: model.MapJobShape, Pos: m.Pos,
			Message: fmt.Sprintf("%s.MapJob returns %s and Do takes %s", w.Name,
				list(p, w, m.Results, false), list(p, w, w.Do.Params, w.Do.Variadic))}}
	}
	return nil
}

// Signature writes a method's parameters and results for a reader.
func Signature(p *model.Package, w *model.Worker, m *model.Method) string {
	params := strings.TrimSuffix(strings.TrimPrefix(list(p, w, m.Params, m.Variadic), "("), ")")
	if m.Context {
		params = strings.TrimSuffix("ctx, "+params, ", ")
	}
	results := strings.TrimSuffix(strings.TrimPrefix(list(p, w, m.Results, false), "("), ")")
	if m.Error {
		results = strings.TrimPrefix(results+", error", ", ")
	}
	s := "(" + params + ")"
	switch {
	case results == "":
	case strings.ContainsAny(results, " ,"):
		s += " (" + results + ")"
	default:
		s += " " + results
	}
	return s
}

func list(p *model.Package, w *model.Worker, params []model.Param, variadic bool) string {
	var parts []string
	for i, q := range params {
		text := q.Type.Text(p.Path, w.TypeParams)
		if variadic && i == len(params)-1 {
			text = "..." + strings.TrimPrefix(text, "[]")
		}
		if !q.Blank() {
			text = q.Name + " " + text
		}
		parts = append(parts, text)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
