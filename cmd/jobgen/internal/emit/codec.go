package emit

import (
	"sort"

	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// place is where a value is: an expression for it, or for a pointer to it.
type place struct {
	value   *jen.Statement
	pointer bool
}

func (p place) address() jen.Code {
	if p.pointer {
		return p.value
	}
	return jen.Op("&").Add(p.value)
}

// field and index are places inside of it; Go looks through the pointer by itself.
func (p place) field(name string) place { return place{value: p.value.Clone().Dot(name)} }
func (p place) index(i string) place    { return place{value: p.value.Clone().Index(jen.Id(i))} }

// codecFuncs are the functions of a type, named after it. One that nobody calls is not written.
type codecFuncs struct {
	codec         *model.Codec
	write, read   string
	writes, reads bool
}

// ownFuncs are the functions of a codec's type in this file.
func (f *file) ownFuncs(c *model.Codec) *codecFuncs {
	if fs := f.own[c]; fs != nil {
		return fs
	}
	names := f.names.helpers(f.ident(c.Type)+f.suffix, "append", "read")
	fs := &codecFuncs{codec: c, write: names[0], read: names[1]}
	f.own[c] = fs
	return fs
}

// writer and reader name a function for use here, and see to it that it is written.
func (f *file) writer(c *model.Codec) jen.Code {
	if fs := f.shared[c.ID]; fs != nil && fs.writes {
		return jen.Id(fs.write)
	}
	fs := f.ownFuncs(c)
	if !fs.writes {
		fs.writes = true
		f.pending = append(f.pending, fs)
	}
	return jen.Id(fs.write)
}

func (f *file) reader(c *model.Codec) jen.Code {
	if fs := f.shared[c.ID]; fs != nil && fs.reads {
		return jen.Id(fs.read)
	}
	fs := f.ownFuncs(c)
	if !fs.reads {
		fs.reads = true
		f.pending = append(f.pending, fs)
	}
	return jen.Id(fs.read)
}

// basics names the kernel's functions for the predeclared types.
var basics = map[string]string{
	"bool": "Bool", "int8": "Byte", "uint8": "Byte", "int": "Int", "int16": "Int", "int32": "Int", "int64": "Int",
	"uint": "Uint", "uint16": "Uint", "uint32": "Uint", "uint64": "Uint", "uintptr": "Uint", "string": "String",
	"float32": "Float32", "float64": "Float64", "complex64": "Complex64", "complex128": "Complex128",
}

// direct is the kernel's function for a type, or nil if it takes more than one name: verb is Append or Read.
func (f *file) direct(verb string, c *model.Codec) jen.Code {
	switch c.Kind {
	case model.CodecBasic:
		return kernel(verb + basics[c.Scalar])
	case model.CodecNothing:
		return kernel(verb + "Nothing")
	case model.CodecPlace:
		return kernel(verb + "Place")
	case model.CodecNumbers:
		return kernel(verb + "Numbers").Types(f.predeclared(c.Scalar))
	case model.CodecFixed:
		return kernel(verb + "Fixed").Types(f.predeclared(c.Scalar))
	case model.CodecEmpties:
		return kernel(verb + "Empties")
	}
	return nil
}

// appendFunc and readFunc are a type's functions as values.
func (f *file) appendFunc(c *model.Codec) jen.Code {
	if d := f.direct("Append", c); d != nil {
		return d
	}
	return f.writer(c)
}

func (f *file) readFunc(c *model.Codec) jen.Code {
	if d := f.direct("Read", c); d != nil {
		return d
	}
	return f.reader(c)
}

// appendsWith says which of the kernel's functions takes a method: one that appends, or one that returns bytes.
var appendsWith = map[string]string{
	"AppendBinary": "AppendWith", "AppendText": "AppendWith", "MarshalMsg": "AppendWith",
	"MarshalBinary": "AppendFrom", "MarshalText": "AppendFrom", "MarshalVT": "AppendFrom", "GobEncode": "AppendFrom",
}

// appendExpr is the slice of bytes b with a value appended, as one expression; nil if it takes statements.
func (f *file) appendExpr(c *model.Codec, at place, b string) jen.Code {
	switch c.Kind {
	case model.CodecNothing, model.CodecArray:
		return nil
	case model.CodecSlice:
		return kernel("AppendSlice").Call(jen.Id(b), at.address(), f.appendFunc(c.Elem))
	case model.CodecPointer:
		return kernel("AppendPointer").Call(jen.Id(b), at.address(), f.appendFunc(c.Elem))
	case model.CodecMethods:
		return kernel(appendsWith[c.Append]).Call(jen.Id(b), at.value.Clone().Dot(c.Append))
	}
	return jen.Add(f.appendFunc(c)).Call(jen.Id(b), at.address())
}

// appendStatements append a value to b.
func (f *file) appendStatements(c *model.Codec, at place, b string) []jen.Code {
	switch c.Kind {
	case model.CodecNothing:
		return nil
	case model.CodecArray:
		i := f.loopName()
		return []jen.Code{jen.For(jen.Id(i).Op(":=").Range().Add(at.value)).Block(
			jen.Id(b).Op("=").Add(f.appendElem(c.Elem, at.index(i), b)))}
	}
	return []jen.Code{jen.Id(b).Op("=").Add(f.appendExpr(c, at, b))}
}

// appendElem appends an element of an array, which for an array is the business of a function.
func (f *file) appendElem(c *model.Codec, at place, b string) jen.Code {
	if c.Kind == model.CodecArray {
		return jen.Add(f.writer(c)).Call(jen.Id(b), at.address())
	}
	return f.appendExpr(c, at, b)
}

// readStatements read a value. d is the expression for a pointer to the decoder.
func (f *file) readStatements(c *model.Codec, at place, d jen.Code) []jen.Code {
	switch c.Kind {
	case model.CodecNothing:
		return nil
	case model.CodecArray:
		i := f.loopName()
		var elem []jen.Code
		if leadsToArray(c.Elem) { // whose index would hide this one
			elem = []jen.Code{jen.Add(f.reader(c.Elem)).Call(d, at.index(i).address())}
		} else {
			elem = f.readStatements(c.Elem, at.index(i), d)
		}
		return []jen.Code{jen.For(jen.Id(i).Op(":=").Range().Add(at.value)).Block(elem...)}
	case model.CodecPointer:
		return []jen.Code{f.readPointer(c, at, d)}
	case model.CodecMethods:
		return []jen.Code{f.readMethod(c, at, d)}
	}
	return []jen.Code{jen.Add(f.readFunc(c)).Call(d, at.address())}
}

// leadsToArray says whether reading a value takes a loop over an array where it is read: it is one, or a pointer to one.
func leadsToArray(c *model.Codec) bool {
	for c.Kind == model.CodecPointer {
		c = c.Elem
	}
	return c.Kind == model.CodecArray
}

// loopName is the name of an index: not that of any other variable, whose element it may be to find.
func (f *file) loopName() string { return f.names.free("i", f.names.locals) }

// codecFuncs writes the functions of types that were asked for, and those that these ask for.
func (f *file) codecFuncs(g *jen.File) {
	var all []*codecFuncs
	written := map[*codecFuncs]*[2]jen.Code{}
	for len(f.pending) > 0 {
		fs := f.pending[0]
		f.pending = f.pending[1:]
		code := written[fs]
		if code == nil {
			code = new([2]jen.Code)
			written[fs] = code
			all = append(all, fs)
		}
		if fs.writes && code[0] == nil {
			code[0] = f.appendFuncDecl(fs)
		}
		if fs.reads && code[1] == nil {
			code[1] = f.readFuncDecl(fs)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].write < all[j].write })
	for _, fs := range all {
		for _, c := range written[fs] {
			if c != nil {
				g.Line().Add(c)
			}
		}
	}
}

func (f *file) appendFuncDecl(fs *codecFuncs) jen.Code {
	s := f.names.scope(nil)
	b, p := s.name("b"), s.name("p")
	bytes := jen.Index().Add(f.predeclared("byte"))
	decl := jen.Func().Id(fs.write).Params(jen.Id(b).Add(bytes), jen.Id(p).Op("*").Add(f.typ(fs.codec.Type, nil))).Add(bytes)
	at := place{jen.Id(p), true}
	c := fs.codec
	var body []jen.Code
	switch c.Kind {
	case model.CodecMap:
		body = f.appendMap(s, c, at, b)
	case model.CodecStruct:
		for _, fl := range c.Fields {
			body = append(body, f.appendStatements(fl.Codec, at.field(fl.Name), b)...)
		}
	case model.CodecArray:
		body = f.appendStatements(c, at, b)
	default:
		return decl.Block(jen.Return(f.appendExpr(c, at, b)))
	}
	return decl.Block(append(body, jen.Return(jen.Id(b)))...)
}

func (f *file) appendMap(s *scope, c *model.Codec, at place, b string) []jen.Code {
	k, v := s.name("k"), s.name("v")
	body := []jen.Code{jen.Id(b).Op("=").Add(kernel("AppendMapLen").Call(jen.Id(b), at.address()))}
	each := append(f.appendStatements(c.Key, place{value: jen.Id(k)}, b), f.appendStatements(c.Elem, place{value: jen.Id(v)}, b)...)
	vars := jen.List(jen.Id(k), jen.Id(v)).Op(":=")
	switch {
	case len(each) == 0:
		return body
	case c.Elem.Kind == model.CodecNothing:
		vars = jen.Id(k).Op(":=")
	case c.Key.Kind == model.CodecNothing:
		vars = jen.List(jen.Id("_"), jen.Id(v)).Op(":=")
	}
	return append(body, jen.For(vars.Range().Op("*").Add(at.value)).Block(each...))
}

func (f *file) readFuncDecl(fs *codecFuncs) jen.Code {
	s := f.names.scope(nil)
	d, p := s.name("d"), s.name("p")
	at := place{jen.Id(p), true}
	decl := jen.Func().Id(fs.read).Params(jen.Id(d).Op("*").Add(kernel("Decoder")), jen.Id(p).Op("*").Add(f.typ(fs.codec.Type, nil)))
	c := fs.codec
	var body []jen.Code
	switch c.Kind {
	case model.CodecStruct:
		for _, fl := range c.Fields {
			body = append(body, f.readOneOfMany(fl.Codec, at.field(fl.Name), jen.Id(d))...)
		}
	case model.CodecSlice:
		body = f.readSlice(s, c, p, d)
	case model.CodecMap:
		body = f.readMap(s, c, p, d)
	default:
		body = f.readStatements(c, at, jen.Id(d))
	}
	return decl.Block(body...)
}
