package extract

import (
	"go/token"
	"go/types"
)

// methods are the two with which a type encodes itself.
type methods struct{ write, read string }

var (
	errorResult = types.Universe.Lookup("error").Type()
	byteSlice   = types.NewSlice(types.Typ[types.Byte])

	appends  = plainSignature([]types.Type{byteSlice}, []types.Type{byteSlice, errorResult})
	marshals = plainSignature(nil, []types.Type{byteSlice, errorResult})
	reads    = plainSignature([]types.Type{byteSlice}, []types.Type{errorResult})
)

// pairs are the pairs of methods that jobgen knows, the best first. One that is for opaque types alone counts only
// where the fields cannot be reached: a text may leave something out.
var pairs = []struct {
	methods
	writes, reads *types.Signature
	opaque        bool
}{
	{methods{"AppendBinary", "UnmarshalBinary"}, appends, reads, false},
	{methods{"MarshalBinary", "UnmarshalBinary"}, marshals, reads, false},
	{methods{"MarshalMsg", "UnmarshalMsg"}, appends, appends, false},
	{methods{"MarshalVT", "UnmarshalVT"}, marshals, reads, false},
	{methods{"GobEncode", "GobDecode"}, marshals, reads, true},
	{methods{"AppendText", "UnmarshalText"}, appends, reads, true},
	{methods{"MarshalText", "UnmarshalText"}, marshals, reads, true},
}

// methodsOf finds the methods with which a type encodes itself, or returns nil. Methods promoted from an embedded
// field do not count: they would encode that field and drop the others.
func (x *extractor) methodsOf(t types.Type) *methods {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || types.IsInterface(n) || n.Obj().Pkg() == nil {
		return nil
	}
	has := func(name string, want *types.Signature) bool {
		obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(n), true, n.Obj().Pkg(), name)
		f, ok := obj.(*types.Func)
		return ok && len(index) == 1 && types.Identical(f.Signature(), want)
	}
	for _, p := range pairs {
		if has(p.read, p.reads) && has(p.write, p.writes) && (!p.opaque || x.opaque(n)) {
			return &p.methods
		}
	}
	return nil
}

// opaque says whether a type is a struct with fields that this package cannot reach.
func (x *extractor) opaque(n *types.Named) bool {
	s, ok := n.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if !f.Exported() && f.Name() != "_" && f.Pkg() != x.in.Types {
			return true
		}
	}
	return false
}

func plainSignature(params, results []types.Type) *types.Signature {
	tuple := func(ts []types.Type) *types.Tuple {
		var vs []*types.Var
		for _, t := range ts {
			vs = append(vs, types.NewParam(token.NoPos, nil, "", t))
		}
		return types.NewTuple(vs...)
	}
	return types.NewSignatureType(nil, nil, nil, tuple(params), tuple(results), false)
}
