package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/check"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/emit"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/extract"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// TestRandomWorkers generates for random packages, full of names that are apt to collide, and type-checks
// what comes out. The runtime and the imported packages are stand-ins, so that no go command is run.
func TestRandomWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := (&source{t: t}).pkg()
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "/p/p.go", src, parser.ParseComments)
		if err != nil {
			t.Fatalf("the test wrote nonsense: %v\n%s", err, src)
		}
		pkg, info, errs := typecheck(fset, file)
		if len(errs) > 0 {
			t.Skip(errs) // a random name hid something that a random type needs
		}
		m := extract.Package(extract.Input{Path: "example.com/p", Name: "p", Dir: "/p",
			Fset: fset, Files: []*ast.File{file}, Types: pkg, Info: info})
		ds, err := check.Run(fset, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			if d.Code != model.NameTaken && d.Code != model.SameName {
				t.Fatalf("%s\n%s", d.Text(), src)
			}
		}
		if len(ds) > 0 || len(m.Workers) == 0 {
			return // names are taken
		}
		out := generated(t, m)
		if !bytes.Equal(out, generated(t, m)) {
			t.Fatal("two runs differ")
		}
		gen, err := parser.ParseFile(fset, "/p/jobgen_gen.go", out, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if _, _, errs := typecheck(fset, file, gen); len(errs) > 0 {
			t.Fatalf("%v\n%s\n%s", errs, src, out)
		}
	})
}

func generated(t *rapid.T, m *model.Package) []byte {
	files, err := emit.Package(m)
	if err != nil {
		t.Fatal(err)
	}
	return files["/p/jobgen_gen.go"]
}

func typecheck(fset *token.FileSet, files ...*ast.File) (*types.Package, *types.Info, []error) {
	var errs []error
	conf := types.Config{Importer: standIns, GoVersion: "go1.26", Error: func(err error) {
		if !strings.Contains(err.Error(), "and not used") {
			errs = append(errs, err)
		}
	}}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{},
		Scopes: map[ast.Node]*types.Scope{}}
	pkg, _ := conf.Check("example.com/p", fset, files, info)
	return pkg, info, errs
}

// source writes a random package.
type source struct {
	t       *rapid.T
	tparams []string
}

var (
	nasty = []string{"a", "b", "ctx", "context", "jobgen", "in", "out", "err", "w", "r", "n", "opts", "time", "time2",
		"a0", "a1", "Option", "T", "nil2", "string", "int", "error", "any", "_", "A", "Runner", "New", "universe", "ö"}
	workers = []string{"A", "Runner", "Batch", "Spec", "variance", "Job", "w", "NewA"}
)

func (s *source) pick(label string, from []string) string {
	return rapid.SampledFrom(from).Draw(s.t, label)
}

func (s *source) chance(label string) bool { return rapid.Bool().Draw(s.t, label) }

func (s *source) pkg() string {
	var b strings.Builder
	b.WriteString("package p\n\nimport (\n\t\"context\"\n\tclock \"time\"\n\talso \"example.com/other/time\"\n)\n\ntype Local struct{ X float32 }\n\n")
	seen := map[string]bool{"Local": true, "context": true, "clock": true, "also": true}
	for range rapid.IntRange(0, 3).Draw(s.t, "declarations") {
		name := s.pick("name", nasty)
		if seen[name] || name == "_" {
			continue
		}
		seen[name] = true
		fmt.Fprintf(&b, "%s\n\n", s.pick("declaration", []string{"type " + name + " struct{ y uint8 }", "var " + name + " uint16", "func " + name + "() {}"}))
	}
	for range rapid.IntRange(1, 3).Draw(s.t, "workers") {
		name := s.pick("worker", workers)
		if seen[name] {
			continue
		}
		seen[name] = true
		s.worker(&b, name)
	}
	return b.String()
}

func (s *source) worker(b *strings.Builder, name string) {
	s.tparams = nil
	if s.chance("generic") {
		for range rapid.IntRange(1, 2).Draw(s.t, "type parameters") {
			if p := s.pick("type parameter", nasty); p != "_" && !contains(s.tparams, p) && p != name {
				s.tparams = append(s.tparams, p)
			}
		}
	}
	declare, apply := "", ""
	if len(s.tparams) > 0 {
		declare = "[" + strings.Join(s.tparams, ", ") + " interface{ ~int8 | ~uint32 }]"
		apply = "[" + strings.Join(s.tparams, ", ") + "]"
	}
	sig := s.signature()
	if s.chance("function") {
		fmt.Fprintf(b, "//jobgen:worker\nfunc %s%s%s { panic(0) }\n\n", name, declare, sig)
		return
	}
	fmt.Fprintf(b, "//jobgen:worker\ntype %s%s struct{ F %s }\n\nfunc (*%s%s) Do%s { panic(0) }\n\n", name, declare, s.typ(2), name, apply, sig)
	if s.chance("setup") {
		fmt.Fprintf(b, "func (*%s%s) Setup(%s) {}\n\n", name, apply, s.pick("setup", []string{"", "_ context.Context"}))
	}
	if s.chance("close") {
		fmt.Fprintf(b, "func (%s%s) Close() {}\n\n", name, apply)
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (s *source) signature() string {
	var params, results []string
	used := map[string]bool{}
	if s.chance("ctx") {
		params = append(params, "_ context.Context")
	}
	name := func() string {
		n := s.pick("parameter", nasty)
		if used[n] || contains(s.tparams, n) {
			return "_"
		}
		used[n] = true
		return n
	}
	count := rapid.IntRange(0, 4).Draw(s.t, "parameters")
	for i := range count {
		t := s.typ(3)
		if i == count-1 && s.chance("variadic") {
			t = "..." + t
		}
		params = append(params, name()+" "+t)
	}
	for range rapid.IntRange(0, 3).Draw(s.t, "results") {
		results = append(results, name()+" "+s.typ(3))
	}
	if s.chance("fails") {
		results = append(results, "_ error")
	}
	return "(" + strings.Join(params, ", ") + ") (" + strings.Join(results, ", ") + ")"
}

func (s *source) typ(depth int) string {
	leaves := append([]string{"Local", "*Local", "bool", "string", "int", "float64", "uint64", "clock.Duration",
		"also.Duration", "context.Context", "error", "any", "struct{}"}, s.tparams...)
	if depth == 0 || s.chance("leaf") {
		return s.pick("leaf type", leaves)
	}
	in := s.typ(depth - 1)
	switch rapid.IntRange(0, 8).Draw(s.t, "type") {
	case 0:
		return "[]" + in
	case 1:
		return "*" + in
	case 2:
		return "map[uint8]" + in
	case 3:
		return "[3]" + in
	case 4:
		return "chan (" + in + ")"
	case 5:
		return "<-chan " + in
	case 6:
		return "func(" + in + ", ..." + s.typ(depth-1) + ") (" + in + ", bool)"
	case 7:
		return "struct{ A " + in + " `tag`; b " + in + " }"
	}
	return "interface{ M(" + in + ") }"
}
