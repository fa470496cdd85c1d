package extract

import (
	"go/ast"
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// errorInterface is the interface error.
var errorInterface = errorResult.Underlying().(*types.Interface)

// errorType reads a type that is marked //jobgen:error.
func (x *extractor) errorType(spec *ast.TypeSpec) *model.ErrorType {
	obj, _ := x.in.Info.Defs[spec.Name].(*types.TypeName)
	if obj == nil {
		return nil
	}
	named, _ := obj.Type().(*types.Named)
	if named == nil {
		return nil
	}
	e := &model.ErrorType{Name: obj.Name(), Pos: x.pos(obj.Pos())}
	e.Generic, e.Interface = named.TypeParams().Len() > 0, types.IsInterface(named)
	e.Value = types.Implements(named, errorInterface)
	e.Pointer = types.Implements(types.NewPointer(named), errorInterface)
	if e.Generic || e.Interface || !e.Pointer {
		e.Other = x.otherError(named)
		return e
	}
	x.errorParts(e, spec, named)
	if len(e.Locals) > 0 || len(e.Unresolved) > 0 {
		return e
	}
	p := &print{x: x, seen: map[string]bool{}}
	p.part("error", named)
	e.Form = p.sum()
	return e
}

// otherError describes what a type has under the name of Error.
func (x *extractor) otherError(named *types.Named) string {
	switch obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(named), true, x.in.Types, "Error"); obj := obj.(type) {
	case *types.Func:
		return "its method is Error" + types.TypeString(obj.Signature(), types.RelativeTo(x.in.Types))[len("func"):]
	case *types.Var:
		return "its Error is a field"
	}
	return ""
}

// errorParts finds what travels with an error, and what cannot. Errors that it holds itself, as fields or
// elements, travel by themselves: they may be of any type.
func (x *extractor) errorParts(e *model.ErrorType, spec *ast.TypeSpec, named *types.Named) {
	t := x.traveller()
	if x.methodsOf(named) != nil {
		e.Codec = x.codecs.codec(named)
		return
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		x.errorFields(t, e, spec, named, u)
	case *types.Slice:
		if isError(u.Elem()) {
			e.Holds = []model.Held{{Slice: true}}
			e.Codec = x.codecs.places(named)
			return
		}
		t.visit("the error's value", named, e.Pos, nil)
	default:
		t.visit("the error's value", named, e.Pos, nil)
	}
	e.Locals = t.reasons
	if len(e.Locals) == 0 && len(e.Unresolved) == 0 && e.Codec == nil {
		e.Codec = x.codecs.codec(named)
	}
	if e.Codec != nil && e.Codec.Kind == model.CodecNothing {
		e.Codec = nil
	}
}

func (x *extractor) errorFields(t *traveller, e *model.ErrorType, spec *ast.TypeSpec, named *types.Named, s *types.Struct) {
	written, _, _ := x.convert(named)
	shape, _, _ := x.convert(s)
	e.Fields = shape.Fields
	c := &model.Codec{Kind: model.CodecNothing, Type: written}
	var plain []*types.Var
	for f := range s.Fields() {
		what, at := "field "+f.Name(), x.fieldPos(f, e.Pos)
		elem, isSlice := f.Type().Underlying().(*types.Slice)
		_, invalid, _ := x.convert(f.Type())
		switch {
		case f.Name() == "_":
		case invalid:
			e.Unresolved = append(e.Unresolved, model.Reason{What: what, Why: x.complaint(f, fieldsOf(spec)), Pos: at})
		case !f.Exported() && f.Pkg() != x.in.Types:
			t.no(what, "belongs to package "+f.Pkg().Name()+", and this one cannot reach it", at)
		case isError(f.Type()):
			e.Holds = append(e.Holds, model.Held{Field: f.Name()})
		case isSlice && isError(elem.Elem()) && t.nameable(what, f.Type(), at):
			e.Holds = append(e.Holds, model.Held{Field: f.Name(), Slice: true})
			c.Fields = append(c.Fields, model.CodecField{Name: f.Name(), Codec: x.codecs.places(f.Type())})
		default:
			t.visit(what, f.Type(), at, []types.Type{named})
			plain = append(plain, f)
			c.Fields = append(c.Fields, model.CodecField{Name: f.Name()})
		}
	}
	if len(t.reasons) > 0 || len(e.Unresolved) > 0 || len(e.Holds) == 0 {
		return // the whole type has a codec, or none
	}
	// The others' codecs are known to exist only now.
	fields := c.Fields
	c.Fields = nil
	for _, fl := range fields {
		if fl.Codec == nil {
			fl.Codec = x.codecs.codec(plain[0].Type())
			plain = plain[1:]
		}
		if fl.Codec.Kind == model.CodecNothing {
			continue
		}
		c.Kind = model.CodecStruct
		c.Fields = append(c.Fields, fl)
		c.Fails = c.Fails || fl.Codec.Fails
	}
	e.Codec = c
}

// places is the codec of a slice of errors: a byte for each, which says that there is one.
func (cs *codecs) places(t types.Type) *model.Codec {
	written, _, _ := cs.x.convert(t)
	return &model.Codec{Kind: model.CodecSlice, Type: written, Elem: &model.Codec{
		Kind: model.CodecPlace, Type: model.Type{Kind: model.Basic, Name: "error"}}}
}

// fieldsOf returns the list of a struct's fields, nil if the type is none.
func fieldsOf(spec *ast.TypeSpec) *ast.FieldList {
	if st, ok := spec.Type.(*ast.StructType); ok {
		return st.Fields
	}
	return nil
}
