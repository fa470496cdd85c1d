package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// The parts of slices, maps and pointers are read by calls of functions by their names, not of functions that the
// kernel is given: so the compiler sees that neither the decoder nor what is read has to be on the heap.

// readSlice reads the slice behind p, for a function of its own.
func (f *file) readSlice(s *scope, c *model.Codec, p, d string) []jen.Code {
	n, i := s.name("n"), s.name("i")
	elem := place{value: jen.Parens(jen.Op("*").Id(p)).Index(jen.Id(i))}
	return []jen.Code{
		jen.Id(n).Op(":=").Add(kernel("ReadSliceLen").Call(jen.Id(d), jen.Id(p))),
		jen.For(
			jen.Id(i).Op(":=").Lit(0),
			kernel("Room").Call(jen.Id(d), jen.Id(p), jen.Id(i), jen.Id(n)),
			jen.Id(i).Op("++"),
		).Block(f.readOneOfMany(c.Elem, elem, jen.Id(d))...),
	}
}

// readMap reads the map behind p, for a function of its own.
func (f *file) readMap(s *scope, c *model.Codec, p, d string) []jen.Code {
	n, i, k, v := s.name("n"), s.name("i"), s.name("k"), s.name("v")
	entry := []jen.Code{jen.Var().Id(k).Add(f.typ(c.Key.Type, nil)), jen.Var().Id(v).Add(f.typ(c.Elem.Type, nil))}
	entry = append(entry, f.readOneOfMany(c.Key, place{value: jen.Id(k)}, jen.Id(d))...)
	entry = append(entry, f.readOneOfMany(c.Elem, place{value: jen.Id(v)}, jen.Id(d))...)
	entry = append(entry, jen.Parens(jen.Op("*").Id(p)).Index(jen.Id(k)).Op("=").Id(v))
	return []jen.Code{
		jen.Id(n).Op(":=").Add(kernel("ReadMapLen").Call(jen.Id(d), jen.Id(p))),
		jen.For(
			jen.Id(i).Op(":=").Lit(0),
			kernel("More").Call(jen.Id(d), jen.Id(i), jen.Id(n)),
			jen.Id(i).Op("++"),
		).Block(entry...),
		kernel("EndMap").Call(jen.Id(d), jen.Id(p), jen.Id(n)),
	}
}

// decode makes the decoder of a message that holds values of these codecs.
func (f *file) decode(b string, cs ...*model.Codec) jen.Code {
	n := 0
	for _, c := range cs {
		n += countStrings(c)
	}
	if n > 1 {
		return kernel("DecodeMany").Call(jen.Id(b))
	}
	return kernel("Decode").Call(jen.Id(b))
}

// countStrings is how many strings a value has, where two stand for any number of them.
func countStrings(c *model.Codec) int {
	n := 0
	switch c.Kind {
	case model.CodecBasic:
		if c.Scalar == "string" {
			n = 1
		}
	case model.CodecStruct:
		for _, fl := range c.Fields {
			n += countStrings(fl.Codec)
		}
	case model.CodecPointer:
		n = countStrings(c.Elem)
	case model.CodecArray:
		n = countStrings(c.Elem) * int(min(2, c.Type.Len))
	}
	return min(n, 2) // slices and maps tell the decoder themselves
}

// readOneOfMany reads a field, an element, a key or a value.
func (f *file) readOneOfMany(c *model.Codec, at place, d jen.Code) []jen.Code {
	if c.Kind == model.CodecBasic && c.Scalar == "string" {
		return []jen.Code{kernel("ReadStringOfMany").Call(d, at.address())}
	}
	return f.readStatements(c, at, d)
}

// readPointer reads a pointer and what it points to.
func (f *file) readPointer(c *model.Codec, at place, d jen.Code) jen.Code {
	isNew := kernel("ReadNew").Call(d, at.address())
	pointer := at.value.Clone()
	if at.pointer {
		pointer = jen.Parens(jen.Op("*").Add(pointer))
	}
	to := place{pointer, true}
	if c.Type.Kind != model.Pointer { // a declared pointer type has none of the methods
		to = place{value: jen.Parens(jen.Op("*").Add(pointer))}
	}
	if elem := f.readStatements(c.Elem, to, d); len(elem) > 0 {
		return jen.If(isNew).Block(elem...)
	}
	return isNew
}

// readMethod reads a value that decodes itself.
func (f *file) readMethod(c *model.Codec, at place, d jen.Code) jen.Code {
	method := at.value.Clone().Dot(c.Read)
	if c.Read == "UnmarshalMsg" {
		return kernel("ReadRestWith").Call(d, method)
	}
	raw := f.names.free("raw", f.names.locals)
	return jen.If(jen.Id(raw).Op(":=").Add(kernel("ReadRaw").Call(d)), jen.Id(raw).Op("!=").Add(f.none())).Block(
		kernel("Check").Call(d, jen.Id(raw), method.Call(jen.Id(raw))))
}
