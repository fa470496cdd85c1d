package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// standIns are the packages that random workers import: just enough of each to be type-checked.
var standIns = importerOf(map[string]string{
	"context":                `package context; type Context interface{ Err() error }`,
	"time":                   `package time; type Duration int64`,
	"example.com/other/time": `package time; type Duration string`,
	model.Universe: `package universe; type (Error = error; Int = int; String = string; Bool = bool; Float64 = float64; Uint64 = uint64)
		const True = true; func Nil() error { return nil }`,
	model.Runtime: `package jobgen; import "context"; const ABI1 = 1; type Option func()
		type Spec[In, Out any] struct { Name, Pos string; Multi bool; Local string; New func() Instance[In, Out] }
		type Instance[In, Out any] struct { Setup func(context.Context) error; Do func(context.Context, In) (Out, error); Close func() error }
		type Runner[In, Out any] struct { spec Spec[In, Out] }
		func (r *Runner[In, Out]) Batch(context.Context, ...Option) *Batch[In, Out] { return nil }
		type Batch[In, Out any] struct{}
		func (b *Batch[In, Out]) Submit(In) *Future[Out] { return nil }
		type Future[Out any] struct{}
		func NewRunner[In, Out any](spec Spec[In, Out], opts ...Option) Runner[In, Out] { return Runner[In, Out]{spec} }
		type Integer interface { ~int|~int8|~int16|~int32|~int64|~uint|~uint8|~uint16|~uint32|~uint64|~uintptr }
		func RunN[In Integer, Out any](context.Context, *Runner[In, Out], int, ...Option) ([]Out, error) { return nil, nil }`,
})

type packagesByPath map[string]*types.Package

func (p packagesByPath) Import(path string) (*types.Package, error) {
	if pkg := p[path]; pkg != nil {
		return pkg, nil
	}
	return nil, fmt.Errorf("no stand-in for %s", path)
}

func importerOf(sources map[string]string) packagesByPath {
	pkgs := packagesByPath{}
	var load func(path string)
	load = func(path string) {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, sources[path], 0)
		if err != nil {
			panic(err)
		}
		for _, spec := range f.Imports {
			if dep := spec.Path.Value[1 : len(spec.Path.Value)-1]; pkgs[dep] == nil {
				load(dep)
			}
		}
		conf := types.Config{Importer: pkgs}
		pkg, err := conf.Check(path, fset, []*ast.File{f}, nil)
		if err != nil {
			panic(err)
		}
		pkgs[path] = pkg
	}
	for path := range sources {
		if pkgs[path] == nil {
			load(path)
		}
	}
	return pkgs
}
