package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// typ renders a type. params are the names under which the worker's type parameters are declared here.
func (f *file) typ(t model.Type, params []string) jen.Code {
	switch t.Kind {
	case model.Basic:
		return f.predeclared(t.Name)
	case model.Named:
		s := jen.Qual(t.Path, t.Name)
		if len(t.Args) > 0 {
			s.Types(f.types(t.Args, params)...)
		}
		return s
	case model.Parameter:
		return jen.Id(params[t.Index])
	case model.Pointer:
		return jen.Op("*").Add(f.typ(*t.Elem, params))
	case model.Slice:
		return jen.Index().Add(f.typ(*t.Elem, params))
	case model.Array:
		return jen.Index(jen.Lit(int(t.Len))).Add(f.typ(*t.Elem, params))
	case model.Map:
		return jen.Map(f.typ(*t.Key, params)).Add(f.typ(*t.Elem, params))
	case model.Chan:
		return f.channel(t, params)
	case model.Func:
		return jen.Func().Add(f.signature(t, params))
	case model.Struct:
		return f.structure(t, params)
	case model.Interface:
		return f.iface(t, params)
	case model.Union:
		return f.union(t.Embeds, params)
	}
	return jen.Id("invalid")
}

func (f *file) types(ts []model.Type, params []string) []jen.Code {
	var out []jen.Code
	for _, t := range ts {
		out = append(out, f.typ(t, params))
	}
	return out
}

// predeclared renders a predeclared name, by way of the runtime's package universe where the package
// has given the name another meaning.
func (f *file) predeclared(name string) *jen.Statement {
	if _, ok := f.pkg.Shadowed[name]; !ok {
		return jen.Id(name)
	}
	if name == "any" {
		return jen.Interface()
	}
	f.universe = true
	return jen.Qual(model.Universe, strings.ToUpper(name[:1])+name[1:])
}

func (f *file) channel(t model.Type, params []string) jen.Code {
	elem := f.typ(*t.Elem, params)
	if t.Dir != model.SendOnly && t.Elem.Kind == model.Chan && t.Elem.Dir == model.ReceiveOnly {
		elem = jen.Parens(elem) // chan (<-chan T)
	}
	switch t.Dir {
	case model.SendOnly:
		return jen.Chan().Op("<-").Add(elem)
	case model.ReceiveOnly:
		return jen.Op("<-").Chan().Add(elem)
	}
	return jen.Chan().Add(elem)
}

func (f *file) signature(t model.Type, params []string) jen.Code {
	in := f.types(t.Params, params)
	if t.Variadic {
		last := len(in) - 1
		in[last] = jen.Op("...").Add(f.typ(*t.Params[last].Elem, params))
	}
	s := jen.Params(in...)
	switch len(t.Results) {
	case 0:
	case 1:
		s.Add(f.typ(t.Results[0], params))
	default:
		s.Params(f.types(t.Results, params)...)
	}
	return s
}

func (f *file) structure(t model.Type, params []string) jen.Code {
	var fields []jen.Code
	for _, fl := range t.Fields {
		s := jen.Null()
		if !fl.Embedded {
			s.Id(fl.Name)
		}
		s.Add(f.typ(fl.Type, params))
		if fl.Tag != "" {
			s.Op(quoteTag(fl.Tag))
		}
		fields = append(fields, s)
	}
	return jen.Struct(fields...)
}

func (f *file) iface(t model.Type, params []string) jen.Code {
	var parts []jen.Code
	for _, m := range t.Methods {
		parts = append(parts, jen.Id(m.Name).Add(f.signature(m.Type, params)))
	}
	for _, e := range t.Embeds {
		parts = append(parts, f.term(e, params))
	}
	return jen.Interface(parts...)
}

func (f *file) union(terms []model.Term, params []string) jen.Code {
	s := jen.Null()
	for i, e := range terms {
		if i > 0 {
			s.Op("|")
		}
		s.Add(f.term(e, params))
	}
	return s
}

func (f *file) term(e model.Term, params []string) jen.Code {
	if e.Tilde {
		return jen.Op("~").Add(f.typ(e.Type, params))
	}
	return f.typ(e.Type, params)
}
