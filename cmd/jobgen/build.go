package main

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"go/types"
	"sort"
	"strconv"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/check"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/emit"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/extract"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// built is what became of one package: its files, or what is wrong with it.
type built struct {
	pkg         *load.Package
	model       *model.Package
	files       map[string][]byte // by absolute path; nil if there are diagnostics
	diagnostics []model.Diagnostic
}

// maxRounds bounds how often a package is generated in memory. A worker may use types that are generated
// for another worker, and those for a third one; more than that is nobody's code.
const maxRounds = 4

// buildAll generates the packages in memory, in the order of their imports. Tests of two packages can import the other
// package each: what the first of them lacked is there once the second is done.
func buildAll(o options, r *load.Result) []built {
	var all []built
	for _, p := range r.Packages {
		if !p.Broken {
			all = append(all, build(r, p))
		}
	}
	for again := true; again; {
		again = false
		for i, b := range all {
			n := count(b.diagnostics, model.Unresolved)
			if n == 0 {
				continue
			}
			r.Renew()
			if b = build(r, b.pkg); count(b.diagnostics, model.Unresolved) < n {
				all[i], again = b, true
			}
		}
	}
	for _, b := range all {
		elsewhere(o, r, b)
	}
	return all
}

// build generates one package in memory and type-checks the result.
func build(r *load.Result, p *load.Package) built {
	b := built{pkg: p}
	in := p.Input()
	unresolved := -1
	for range maxRounds {
		b.model = extract.Package(in)
		ds, err := check.Run(in.Fset, b.model)
		if err != nil {
			ds = append(ds, model.Diagnostic{Code: model.DoesNotCompile, Message: err.Error()})
		}
		b.diagnostics = ds
		n := count(ds, model.Unresolved)
		if n == 0 || n == unresolved {
			break
		}
		unresolved = n
		// What can be generated already may be what the rest is missing.
		files, err := emit.Package(resolved(b.model))
		if err != nil {
			break
		}
		c, err := p.Check(files)
		if err != nil {
			break
		}
		in = c.Input
	}
	if len(b.diagnostics) > 0 {
		return b
	}
	if len(b.model.Outputs()) > 0 {
		if err := r.RuntimeError(); err != nil {
			b.diagnostics = []model.Diagnostic{noRuntime(b.model, err)}
			return b
		}
		if !r.HasKernel() && travels(b.model) {
			b.diagnostics = []model.Diagnostic{older(b.model, "package "+model.KernelName)}
			return b
		}
		if travels(b.model) && !r.KernelHas("AppendEach") {
			b.diagnostics = []model.Diagnostic{older(b.model, "function "+model.KernelName+".AppendEach")}
			return b
		}
		if len(b.model.Errors) > 0 && !r.RuntimeHas("RegisterErrorType") {
			b.diagnostics = []model.Diagnostic{older(b.model, "function RegisterErrorType")}
			return b
		}
	}
	files, err := emit.Package(b.model)
	if err != nil {
		b.diagnostics = []model.Diagnostic{fault(b.model, err.Error())}
		return b
	}
	if ds := shadows(r, b.model, files); ds != nil {
		b.diagnostics = ds
		return b
	}
	c, err := p.Check(files)
	if err != nil {
		b.diagnostics = []model.Diagnostic{fault(b.model, err.Error())}
		return b
	}
	for _, text := range forbidden(b.model, files) {
		b.diagnostics = append(b.diagnostics, fault(b.model, text))
	}
	for _, e := range c.Output {
		b.diagnostics = append(b.diagnostics, fault(b.model, describe(e)))
	}
	if len(b.diagnostics) == 0 {
		b.files = files
	}
	return b
}

// travels says whether the output of a package needs codecs.
func travels(p *model.Package) bool {
	for _, w := range p.Workers {
		if w.Travel != nil {
			return true
		}
	}
	for _, in := range p.Instances {
		if in.Travel != nil {
			return true
		}
	}
	for _, e := range p.Errors {
		if e.Codec != nil {
			return true
		}
	}
	return false
}

func count(ds []model.Diagnostic, code model.Code) int {
	n := 0
	for _, d := range ds {
		if d.Code == code {
			n++
		}
	}
	return n
}

// resolved is the package with only those workers whose signatures are complete, and such error types.
func resolved(p *model.Package) *model.Package {
	q := *p
	q.Workers, q.Instances, q.Errors = nil, nil, nil
	for _, e := range p.Errors {
		if e.Sound() {
			q.Errors = append(q.Errors, e)
		}
	}
	for _, w := range p.Workers {
		ok := w.Do != nil && !w.Nameless() && !w.Interface && !w.Misfit && (w.MapJob == nil || len(w.MapJob.Params) == 1)
		for _, m := range []*model.Method{w.Do, w.MapJob} {
			if m == nil {
				continue
			}
			for _, params := range [][]model.Param{m.Params, m.Results} {
				for _, v := range params {
					ok = ok && v.Unresolved == "" && v.Unwritable == ""
				}
			}
		}
		if ok {
			q.Workers = append(q.Workers, w)
		}
	}
	return &q
}

// at is the position of a package's first worker or error type, for what concerns all of them.
func at(p *model.Package) model.Pos {
	var ps []model.Pos
	for _, w := range p.Workers {
		ps = append(ps, w.Pos)
	}
	for _, in := range p.Instances {
		ps = append(ps, in.Pos)
	}
	for _, e := range p.Errors {
		ps = append(ps, e.Pos)
	}
	if len(ps) == 0 {
		return model.Pos{}
	}
	sort.Slice(ps, func(i, j int) bool { return ps[i].Less(ps[j]) })
	return ps[0]
}

// older says that the runtime is from before something that the output needs.
func older(p *model.Package, what string) model.Diagnostic {
	return model.Diagnostic{Code: model.NoRuntime, Pos: at(p),
		Message: fmt.Sprintf("the module's version of %s is older than this jobgen and has no %s", model.Runtime, what),
		Remedy:  "run go get " + model.Runtime + "@latest"}
}

func noRuntime(p *model.Package, err error) model.Diagnostic {
	what := "workers"
	if len(p.Workers)+len(p.Instances) == 0 {
		what = "error types"
	}
	return model.Diagnostic{Code: model.NoRuntime, Pos: at(p),
		Message: fmt.Sprintf("package %s has %s, but cannot import %s: %s", p.Name, what, model.Runtime, err),
		Remedy:  "run go get " + model.Runtime + "; in a module with a vendor directory also import it somewhere and run go mod vendor"}
}

func fault(p *model.Package, text string) model.Diagnostic {
	return model.Diagnostic{Code: model.DoesNotCompile, Pos: at(p), Message: "the generated code does not compile: " + text}
}

// forbidden lists the imports that the go command does not allow. Type checkers know nothing of its rules.
func forbidden(p *model.Package, files map[string][]byte) []string {
	var texts []string
	for path, src := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
		if err != nil {
			continue // the type check says more
		}
		for _, i := range f.Imports {
			if of, err := strconv.Unquote(i.Path.Value); err == nil && !extract.Importable(p.Path, of) {
				texts = append(texts, fmt.Sprintf("%s: use of internal package %s not allowed", base(path), of))
			}
		}
	}
	sort.Strings(texts)
	return texts
}

func describe(e types.Error) string {
	at := e.Fset.Position(e.Pos)
	return fmt.Sprintf("%s:%d: %s", base(at.Filename), at.Line, e.Msg)
}

// shadows reports predeclared names that the output needs and cannot reach.
func shadows(r *load.Result, p *model.Package, files map[string][]byte) []model.Diagnostic {
	if r.HasUniverse() {
		return nil
	}
	var ds []model.Diagnostic
	for _, src := range files {
		if !bytes.Contains(src, []byte(model.Universe)) {
			continue
		}
		for name, pos := range p.Shadowed {
			if bytes.Contains(src, []byte("."+model.Export(name))) {
				ds = append(ds, model.Diagnostic{Code: model.Shadowed, Pos: pos,
					Message: fmt.Sprintf("the package declares the predeclared name %s, which its generated code needs", name),
					Remedy:  "rename the declaration, or use a version of jobgen's runtime that has the package universe"})
			}
		}
	}
	return ds
}
