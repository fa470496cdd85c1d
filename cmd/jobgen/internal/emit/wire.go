package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// wire writes how the worker leaves the process.
func (u *unit) wire(l locals) jen.Code {
	in, out := u.inCodec(), u.outCodec()
	fields := []jen.Code{
		jen.Id("Fingerprint").Op(":").Id(fmt.Sprintf("%#016x", u.travel.Fingerprint)),
		jen.Id("Config").Op(":").Add(u.config(l)),
		jen.Id("Configured").Op(":").Add(u.configured(l)),
		jen.Id("AppendIn").Op(":").Add(u.appendValue(l, l.in, u.in(), in)),
		jen.Id("ReadIn").Op(":").Add(u.readValue(l, l.in, u.in(), in)),
		jen.Id("AppendOut").Op(":").Add(u.appendValue(l, l.out, u.out(), out)),
		jen.Id("ReadOut").Op(":").Add(u.readValue(l, l.out, u.out(), out)),
	}
	if !in.UsersOwn() {
		fields = append(fields,
			jen.Id("AppendIns").Op(":").Add(kernel("AppendEach").Types(u.in()).Call(u.appendFunc(in))),
			jen.Id("ReadIns").Op(":").Add(kernel("ReadEach").Types(u.in()).Call(u.readFunc(in))))
	}
	if !out.UsersOwn() {
		fields = append(fields, jen.Id("ReadOuts").Op(":").Add(kernel("ReadEach").Types(u.out()).Call(u.readFunc(out))))
	}
	return jen.Op("&").Add(u.runtime("Wire").Types(u.in(), u.out())).Values(lines(fields)...)
}

// inCodec and outCodec are the codecs of the runner's input and result types.
func (u *unit) inCodec() *model.Codec {
	switch u.plan.In {
	case model.Counted:
		return &model.Codec{Kind: model.CodecBasic, Scalar: "int"}
	case model.Several:
		return u.structCodec(u.plan.Job, u.plan.JobFields, u.travel.In)
	}
	return u.travel.In[0]
}

func (u *unit) outCodec() *model.Codec {
	switch u.plan.Out {
	case model.Empty:
		return &model.Codec{Kind: model.CodecNothing}
	case model.Several:
		return u.structCodec(u.plan.Result, u.plan.ResultFields, u.travel.Out)
	}
	return u.travel.Out[0]
}

// structCodec is the codec of a generated struct.
func (u *unit) structCodec(name string, fields []model.PlanField, parts []*model.Codec) *model.Codec {
	c := &model.Codec{Kind: model.CodecNothing, Type: model.Type{Kind: model.Named, Name: name, Path: u.pkg.Path, PkgName: u.pkg.Name, Args: u.instanceOf}}
	for i, fl := range fields {
		if parts[i].Kind == model.CodecNothing {
			continue
		}
		c.Kind = model.CodecStruct
		c.Fields = append(c.Fields, model.CodecField{Name: fl.Name, Codec: parts[i]})
		c.Fails = c.Fails || parts[i].Fails
	}
	return c
}

// bytesType is the type []byte.
func (f *file) bytesType() jen.Code { return jen.Index().Add(f.predeclared("byte")) }

// config writes the function that encodes the configuration.
func (u *unit) config(l locals) jen.Code {
	parts := u.configParts(l)
	if len(parts) == 0 && !u.travel.State {
		return kernel("NoConfig")
	}
	fails := false
	var body []jen.Code
	if u.travel.State {
		body = append(body, jen.If(jen.Id(l.err).Op(":=").Add(kernel("OnlyExported").Call(jen.Op("&").Id(l.w))), jen.Id(l.err).Op("!=").Add(u.none())).
			Block(jen.Return(jen.Id(l.b), jen.Id(l.err))))
	}
	for _, part := range parts {
		fails = fails || part.codec.Fails
		body = append(body, u.appendStatements(part.codec, part.at, l.b)...)
	}
	body = append(body, jen.Return(jen.Id(l.b), u.none()))
	return u.encoder(l, fails, jen.Func().Params(jen.Id(l.b).Add(u.bytesType())), body)
}

// encoder completes a function that encodes: one that can fail catches the failure.
func (f *file) encoder(l locals, fails bool, fn *jen.Statement, body []jen.Code) jen.Code {
	if !fails {
		return fn.Params(f.bytesType(), f.errorType()).Block(body...)
	}
	body = append([]jen.Code{jen.Defer().Add(kernel("Catch").Call(jen.Op("&").Id(l.err)))}, body...)
	return fn.Params(jen.Id("_").Add(f.bytesType()), jen.Id(l.err).Add(f.errorType())).Block(body...)
}

type configPart struct {
	codec *model.Codec
	at    place
}

// configParts are what the configuration is made of.
func (u *unit) configParts(l locals) []configPart {
	if u.travel.Value != nil {
		return []configPart{{u.travel.Value, place{value: jen.Id(l.w)}}}
	}
	var parts []configPart
	for _, fl := range u.travel.Config {
		at := place{value: jen.Id(l.w).Dot(fl.Name)}
		if u.w.Func {
			at = place{value: jen.Id(l.bound[fl.Name])}
		}
		parts = append(parts, configPart{fl.Codec, at})
	}
	return parts
}

// configured writes the function that decodes the configuration and returns what makes instances with it.
func (u *unit) configured(l locals) jen.Code {
	body := u.zeroSettings(l)
	parts := u.configParts(l)
	var codecs []*model.Codec
	for _, part := range parts {
		codecs = append(codecs, part.codec)
	}
	body = append(body, jen.Id(l.d).Op(":=").Add(u.decode(l.b, codecs...)))
	for _, part := range parts {
		body = append(body, u.readStatements(part.codec, part.at, jen.Op("&").Id(l.d))...)
	}
	body = append(body, jen.Return(jen.Id(u.specName).Call(u.settings(l)...).Dot("New"), jen.Id(l.d).Dot("End").Call()))
	instance := jen.Func().Params().Add(u.runtime("Instance").Types(u.in(), u.out()))
	return jen.Func().Params(jen.Id(l.b).Add(u.bytesType())).Params(instance, u.errorType()).Block(body...)
}

// zeroSettings declares the settings.
func (u *unit) zeroSettings(l locals) []jen.Code {
	var vars []jen.Code
	for _, p := range u.settingParams(l) {
		vars = append(vars, jen.Var().Add(p))
	}
	return vars
}

// appendValue writes the function that encodes one input or result.
func (u *unit) appendValue(l locals, name string, typ jen.Code, c *model.Codec) jen.Code {
	if c.Kind == model.CodecNothing {
		return kernel("AppendNone").Types(typ)
	}
	f := jen.Func().Params(jen.Id(l.b).Add(u.bytesType()), jen.Id(name).Add(typ))
	at := place{value: jen.Id(name)}
	if e := u.appendExpr(c, at, l.b); e != nil {
		return u.encoder(l, c.Fails, f, []jen.Code{jen.Return(e, u.none())})
	}
	body := append(u.appendStatements(c, at, l.b), jen.Return(jen.Id(l.b), u.none()))
	return u.encoder(l, c.Fails, f, body)
}

// readValue writes the function that decodes one input or result and returns what follows it.
func (u *unit) readValue(l locals, name string, typ jen.Code, c *model.Codec) jen.Code {
	if c.Kind == model.CodecNothing {
		return kernel("ReadNone").Types(typ)
	}
	body := []jen.Code{jen.Id(l.d).Op(":=").Add(u.decode(l.b, c))}
	body = append(body, u.readStatements(c, place{value: jen.Id(name)}, jen.Op("&").Id(l.d))...)
	body = append(body,
		jen.List(jen.Id(l.rest), jen.Id(l.err)).Op("=").Id(l.d).Dot("Rest").Call(),
		jen.Return(jen.Id(name), jen.Id(l.rest), jen.Id(l.err)))
	return jen.Func().Params(jen.Id(l.b).Add(u.bytesType())).
		Params(jen.Id(name).Add(typ), jen.Id(l.rest).Add(u.bytesType()), jen.Id(l.err).Add(u.errorType())).Block(body...)
}

// register writes the init function that makes the worker known to other processes.
func (u *unit) register(more ...jen.Code) jen.Code {
	l := u.locals()
	body := u.zeroSettings(l)
	body = append(body, u.runtime("Register").Call(jen.Id(u.specName).Call(u.settings(l)...)))
	return jen.Func().Id("init").Params().Block(append(body, more...)...)
}

// instanceSpec writes the function that describes an instance, which is the generic one's description with a
// codec, and the registration.
func (u *unit) instanceSpec(in *model.Instance) jen.Code {
	l := u.locals()
	spec, generic := l.spec, u.specs[u.w.Name]
	body := []jen.Code{
		jen.Id(spec).Op(":=").Add(u.apply(generic).Call(u.settings(l)...)),
		jen.List(jen.Id(spec).Dot("Name"), jen.Id(spec).Dot("Local")).Op("=").List(jen.Lit(u.pkg.Path+"."+in.Name), jen.Lit("")),
		jen.Id(spec).Dot("Wire").Op("=").Add(u.wire(l)),
		jen.Return(jen.Id(spec)),
	}
	return jen.Add(comment(fmt.Sprintf("%s describes %s to the runtime.", u.specName, in.Text))).Line().
		Func().Id(u.specName).Params(u.settingParams(l)...).Add(u.specType()).Block(body...).Line().Line().
		Add(u.register(u.runtime("RegisterInstance").Types(u.apply(u.plan.Runner)).Call(jen.Id(u.specName))))
}

// kernel is a function of package wire.
func kernel(name string) *jen.Statement { return jen.Qual(model.Kernel, name) }
