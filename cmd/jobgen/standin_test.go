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
	model.Universe: `package universe; type (Error = error; Int = int; Int8 = int8; Byte = byte; Float32 = float32; Uint32 = uint32; Uint16 = uint16; Uint8 = uint8; Int64 = int64; String = string; Bool = bool; Float64 = float64; Uint64 = uint64)
		const True = true; func Nil() error { return nil }`,
	model.Kernel: `package wire
		type Decoder struct{}
		func Decode(b []byte) Decoder { return Decoder{} }
		func (d *Decoder) Rest() ([]byte, error) { return nil, nil }
		func (d *Decoder) End() error { return nil }
		type Number interface { bool|int8|int16|int32|int64|int|uint8|uint16|uint32|uint64|uint|uintptr|float32|float64|complex64|complex128 }
		func Catch(err *error) {}
		func OnlyExported[T any](p *T) error { return nil }
		func AppendEach[T any](one func([]byte, *T) []byte) func(b []byte, values []T, ends []int, most int) ([]byte, []int) { return nil }
		func ReadEach[T any](one func(*Decoder, *T)) func(b []byte, values []T) (n int, rest []byte, err error) { return nil }
		func NoConfig(b []byte) ([]byte, error) { return b, nil }
		func AppendNone[T any](b []byte, _ T) ([]byte, error) { return b, nil }
		func ReadNone[T any](b []byte) (none T, rest []byte, err error) { return none, b, nil }
		func AppendNothing[T any](b []byte, _ *T) []byte { return b }
		func AppendBool[T ~bool](b []byte, p *T) []byte { return b }
		func AppendByte[T ~int8|~uint8](b []byte, p *T) []byte { return b }
		func AppendInt[T ~int|~int16|~int32|~int64](b []byte, p *T) []byte { return b }
		func AppendUint[T ~uint|~uint16|~uint32|~uint64|~uintptr](b []byte, p *T) []byte { return b }
		func AppendFloat32[T ~float32](b []byte, p *T) []byte { return b }
		func AppendFloat64[T ~float64](b []byte, p *T) []byte { return b }
		func AppendString[T ~string](b []byte, p *T) []byte { return b }
		func AppendNumbers[U Number, S ~[]E, E any](b []byte, p *S) []byte { return b }
		func AppendFixed[U Number, A any](b []byte, p *A) []byte { return b }
		func AppendSlice[S ~[]E, E any](b []byte, p *S, each func([]byte, *E) []byte) []byte { return b }
		func AppendEmpties[S ~[]E, E any](b []byte, p *S) []byte { return b }
		func AppendMapLen[M ~map[K]V, K comparable, V any](b []byte, p *M) []byte { return b }
		func AppendPointer[P ~*T, T any](b []byte, p *P, to func([]byte, *T) []byte) []byte { return b }
		func ReadNothing[T any](*Decoder, *T) {}
		func ReadBool[T ~bool](d *Decoder, p *T) {}
		func ReadByte[T ~int8|~uint8](d *Decoder, p *T) {}
		func ReadInt[T ~int|~int16|~int32|~int64](d *Decoder, p *T) {}
		func ReadUint[T ~uint|~uint16|~uint32|~uint64|~uintptr](d *Decoder, p *T) {}
		func ReadFloat32[T ~float32](d *Decoder, p *T) {}
		func ReadFloat64[T ~float64](d *Decoder, p *T) {}
		func ReadString[T ~string](d *Decoder, p *T) {}
		func ReadNumbers[U Number, S ~[]E, E any](d *Decoder, p *S) {}
		func ReadFixed[U Number, A any](d *Decoder, p *A) {}
		func DecodeMany(b []byte) Decoder { return Decoder{} }
		func ReadStringOfMany[T ~string](d *Decoder, p *T) {}
		func ReadSliceLen[S ~[]E, E any](d *Decoder, p *S) int { return 0 }
		func Room[S ~[]E, E any](d *Decoder, p *S, i, n int) bool { return false }
		func ReadMapLen[M ~map[K]V, K comparable, V any](d *Decoder, p *M) int { return 0 }
		func More(d *Decoder, i, n int) bool { return false }
		func EndMap[M ~map[K]V, K comparable, V any](d *Decoder, p *M, n int) {}
		func ReadNew[P ~*T, T any](d *Decoder, p *P) bool { return false }
		func ReadRaw(d *Decoder) []byte { return nil }
		func Check(d *Decoder, raw []byte, err error) {}
		func ReadSlice[S ~[]E, E any](d *Decoder, p *S, each func(*Decoder, *E)) {}
		func ReadEmpties[S ~[]E, E any](d *Decoder, p *S) {}
		func ReadMap[M ~map[K]V, K comparable, V any](d *Decoder, p *M, key func(*Decoder, *K), value func(*Decoder, *V)) {}
		func ReadPointer[P ~*T, T any](d *Decoder, p *P, to func(*Decoder, *T)) {}`,
	model.Runtime: `package jobgen; import "context"; const ABI1 = 1; type Option func()
		type Spec[In, Out any] struct { Name, Pos string; Multi bool; Local string; New func() Instance[In, Out]; Wire *Wire[In, Out]; Instance func() Spec[In, Out] }
		type Wire[In, Out any] struct {
			Fingerprint uint64
			Config func(b []byte) ([]byte, error)
			Configured func(config []byte) (func() Instance[In, Out], error)
			AppendIn func(b []byte, in In) ([]byte, error)
			ReadIn func(b []byte) (in In, rest []byte, err error)
			AppendOut func(b []byte, out Out) ([]byte, error)
			ReadOut func(b []byte) (out Out, rest []byte, err error)
			AppendIns func(b []byte, in []In, ends []int, most int) ([]byte, []int)
			ReadIns func(b []byte, in []In) (n int, rest []byte, err error)
			ReadOuts func(b []byte, out []Out) (n int, rest []byte, err error)
		}
		func Register[In, Out any](spec Spec[In, Out]) {}
		func RegisterInstance[Runner, F any](spec F) {}
		func FindInstance[Runner, F any](generic F) F { return generic }
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
