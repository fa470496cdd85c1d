// Package check finds what is wrong with the workers of a package. Each rule is an analyzer of
// golang.org/x/tools/go/analysis, so that jobgen and an editor or vet report the same.
package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"reflect"

	"golang.org/x/tools/go/analysis"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/extract"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// Model is the analyzer that the others read: it extracts the package's model and reports nothing.
var Model = &analysis.Analyzer{
	Name:       "jobgenmodel",
	Doc:        "read the workers of a package",
	Run:        readModel,
	ResultType: reflect.TypeFor[*model.Package](),
}

// Analyzers is every rule, in the order in which they are run.
var Analyzers = []*analysis.Analyzer{
	rule("jobgendirectives", "find //jobgen: directives that are unknown, misplaced or misspelled", directives),
	rule("jobgenshapes", "find workers whose methods jobgen cannot call", shapes),
	rule("jobgenbind", "find bind= lists that do not fit their function", binds),
	rule("jobgennames", "find names that the generated code needs and the package already uses", names),
	rule("jobgenlocks", "find locks that each worker has a copy of", locks),
	rule("jobgenremote", "find workers marked remote that cannot leave their process", remotes),
	rule("jobgenarrays", "find shared arrays whose elements hold pointers", arrays),
	rule("jobgenerrors", "find error types that are none or cannot travel", errorTypes),
	rule("jobgeninstances", "find //jobgen:instantiate lines that name no instance of a worker", instances),
}

// rule wraps a function from model to diagnostics as an analyzer. The diagnostics are its result, too,
// in jobgen's own form.
func rule(name, doc string, f func(*model.Package) []model.Diagnostic) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:       name,
		Doc:        doc,
		Requires:   []*analysis.Analyzer{Model},
		ResultType: reflect.TypeFor[[]model.Diagnostic](),
		Run: func(pass *analysis.Pass) (any, error) {
			found := f(pass.ResultOf[Model].(*model.Package))
			for _, d := range found {
				pass.Report(analysis.Diagnostic{Pos: d.Pos.Token, Category: string(d.Code), Message: d.Text()})
			}
			return found, nil
		},
	}
}

// readModel extracts the model from a pass, which, unlike the generator's load, sees the generated files.
func readModel(pass *analysis.Pass) (any, error) {
	in := extract.Input{
		Path: pass.Pkg.Path(), Name: pass.Pkg.Name(),
		Fset: pass.Fset, Types: pass.Pkg, Info: pass.TypesInfo, Errors: pass.TypeErrors,
	}
	for _, f := range pass.Files {
		if !isOutput(f) {
			in.Files = append(in.Files, f)
		}
	}
	if len(in.Files) > 0 {
		in.Dir = filepath.Dir(pass.Fset.Position(in.Files[0].Package).Filename)
	}
	return extract.Package(in), nil
}

// isOutput says whether a file was written by jobgen.
func isOutput(f *ast.File) bool {
	for _, g := range f.Comments {
		for _, c := range g.List {
			if c.Pos() < f.Package && c.Text == model.Header {
				return true
			}
		}
	}
	return false
}

// Run applies every analyzer to a model that has been extracted already.
func Run(fset *token.FileSet, pkg *model.Package) ([]model.Diagnostic, error) {
	var all []model.Diagnostic
	for _, a := range Analyzers {
		result, err := a.Run(&analysis.Pass{
			Analyzer: a,
			Fset:     fset,
			ResultOf: map[*analysis.Analyzer]any{Model: pkg},
			Report:   func(analysis.Diagnostic) {},
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		all = append(all, result.([]model.Diagnostic)...)
	}
	return all, nil
}
