package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// errorRegistration writes what makes an error type known to the runtime.
func (f *file) errorRegistration(g *jen.File, e *model.ErrorType) {
	s := f.names.scope(nil)
	l := locals{b: s.name("b"), d: s.name("d"), err: s.name("err")}
	p, visit := s.name("e"), s.name("visit")
	self := jen.Op("*").Id(e.Name)
	fields := []jen.Code{
		jen.Id("Type").Op(":").Lit(f.pkg.Path + "." + e.Name),
		jen.Id("Form").Op(":").Id(fmt.Sprintf("%#016x", e.Form)),
	}
	if c := e.Codec; c != nil {
		at := place{jen.Id(p), true}
		write := jen.Func().Params(jen.Id(l.b).Add(f.bytesType()), jen.Id(p).Add(self.Clone()))
		body := append(f.appendStatements(c, at, l.b), jen.Return(jen.Id(l.b), f.none()))
		if expr := f.appendExpr(c, at, l.b); expr != nil {
			body = []jen.Code{jen.Return(expr, f.none())}
		}
		read := []jen.Code{jen.Id(l.d).Op(":=").Add(f.decode(l.b, c))}
		read = append(read, f.readStatements(c, at, jen.Op("&").Id(l.d))...)
		read = append(read, jen.Return(jen.Id(l.d).Dot("End").Call()))
		fields = append(fields,
			jen.Id("Append").Op(":").Add(f.encoder(l, c.Fails, write, body)),
			jen.Id("Read").Op(":").Func().Params(jen.Id(l.b).Add(f.bytesType()), jen.Id(p).Add(self.Clone())).Add(f.errorType()).Block(read...))
	}
	if len(e.Holds) > 0 {
		fields = append(fields, jen.Id("Errors").Op(":").Func().
			Params(jen.Id(p).Add(self.Clone()), jen.Id(visit).Func().Params(jen.Op("*").Add(f.errorType()))).
			Block(f.held(e, p, visit)...))
	}
	g.Func().Id("init").Params().Block(
		f.runtime("RegisterErrorType").Call(f.runtime("ErrorType").Types(jen.Id(e.Name)).Values(lines(fields)...)))
	g.Line()
	if len(e.Fields) > 0 {
		g.Add(comment(fmt.Sprintf("Run go generate if this line does not compile: the fields of %s have changed.", e.Name)))
		g.Var().Id("_").Op("=").Add(f.typ(model.Type{Kind: model.Struct, Fields: e.Fields}, nil)).Parens(jen.Id(e.Name).Values())
		g.Line()
	}
}

// held writes the calls of visit for the errors that the value behind p holds.
func (f *file) held(e *model.ErrorType, p, visit string) []jen.Code {
	var body []jen.Code
	for _, h := range e.Holds {
		value := jen.Id(p)
		if h.Field != "" {
			value.Dot(h.Field)
		}
		if !h.Slice {
			body = append(body, jen.Id(visit).Call(jen.Op("&").Add(value)))
			continue
		}
		all := value.Clone()
		if h.Field == "" {
			all, value = jen.Op("*").Add(value), jen.Parens(jen.Op("*").Add(value.Clone()))
		}
		i := f.loopName()
		body = append(body, jen.For(jen.Id(i).Op(":=").Range().Add(all)).Block(
			jen.Id(visit).Call(jen.Op("&").Add(value.Clone().Index(jen.Id(i))))))
	}
	return body
}
