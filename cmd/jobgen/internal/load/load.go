// Package load reads packages: syntax and types of the user's files, without jobgen's own output.
//
// There is one load of types for all patterns. It asks for no dependencies (go/packages then reads
// their export data from the build cache), and the overlay that it does with is the go command's alone (of one that it knew
// of, go/packages would conclude that the cache is not to be trusted): a package that imports net/http takes 0.2 s instead of 2 s.
package load

import (
	"context"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/extract"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// Config says what to load.
type Config struct {
	Dir      string // where the patterns are resolved; "" is the current directory
	Tags     string // as for go build -tags
	Patterns []string
	Bodies   bool // keep the bodies of functions, which cost time and say nothing about signatures
}

// Result is what was loaded.
type Result struct {
	Fset     *token.FileSet
	Packages []*Package // in the order of their imports; test packages after what they test
	Quiet    []string   // the patterns' packages in which nothing concerns jobgen, by directory

	Diagnostics []model.Diagnostic // syntax errors, packages that do not exist, …

	build   build.Context // the go command's idea of which files are built
	runtime *runtimePackages

	versions map[*packages.Package]*types.Package // what version found
}

// Package is one package to generate for.
type Package struct {
	ID, Path, Name, Dir string

	Own []string // files of ours in the directory that are built now, absolute

	Broken bool // it cannot be generated for; Result.Diagnostics say why

	loaded *packages.Package
	files  []*ast.File
	others []extract.Other
	result *Result

	last   *types.Package // as of the last Check without errors in the output
	output []*ast.File    // … and that output
}

const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
	packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedTypesSizes |
	packages.NeedModule | packages.NeedForTest

// Load loads the packages that concern jobgen.
func Load(ctx context.Context, cfg Config) (*Result, error) {
	r := &Result{Fset: token.NewFileSet(), build: build.Default, versions: map[*packages.Package]*types.Package{}}
	r.build.BuildTags = strings.FieldsFunc(cfg.Tags, func(c rune) bool { return c == ',' || c == ' ' })
	targets, err := r.targets(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return r, nil
	}
	hide := map[string]bool{}
	var patterns []string
	tests := false
	for _, t := range targets {
		hide[t.dir] = true
		if real, err := filepath.EvalSymlinks(t.dir); err == nil {
			hide[real] = true
		}
		tests = tests || t.tests
		patterns = append(patterns, t.pattern)
	}
	pc := r.config(ctx, cfg)
	pc.Mode, pc.Tests = mode, tests
	without, remove := withoutOutput(ctx, cfg, targets)
	defer remove()
	pc.BuildFlags = append(pc.BuildFlags, without...)
	pc.ParseFile = func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
		return parse(fset, name, src, hide, cfg.Bodies)
	}
	r.runtime = r.findRuntime(ctx, cfg)
	pkgs, err := packages.Load(pc, patterns...)
	if err != nil {
		return nil, loadError(err)
	}
	r.take(pkgs)
	if len(r.Diagnostics) == 0 {
		if err := r.unlisted(ctx, cfg, targets, pkgs); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Result) config(ctx context.Context, cfg Config) *packages.Config {
	pc := &packages.Config{Context: ctx, Dir: cfg.Dir, Fset: r.Fset}
	if cfg.Tags != "" {
		pc.BuildFlags = []string{"-tags=" + cfg.Tags}
	}
	return pc
}

// loadError is what the go command said, in one line and without the wrapping that only a programmer of it can read.
func loadError(err error) error {
	text := strings.TrimSpace(err.Error())
	text = strings.TrimPrefix(text, "err: exit status 1: stderr: ")
	if _, after, ok := strings.Cut(text, ": stderr: "); ok {
		text = after
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "go: ")
	return errors.New(strings.Join(strings.Fields(text), " "))
}

// parse hides our own output in the packages that are generated for, so that code which uses it is no
// obstacle, nor is a stale or damaged file. Function bodies are dropped unless somebody asks for them: no signature
// depends on them.
func parse(fset *token.FileSet, name string, src []byte, hide map[string]bool, bodies bool) (*ast.File, error) {
	target := hide[filepath.Dir(name)]
	if target && IsOurs(name, src) {
		return nil, nil
	}
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution|parser.AllErrors)
	if f != nil && !(bodies && target) {
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Body != nil {
				fd.Body.List = nil
			}
		}
	}
	return f, err
}

// take picks the packages to generate for: of one with test files in it, the variant that has them.
func (r *Result) take(pkgs []*packages.Package) {
	inTests := map[string]bool{} // import paths of which there is a variant with test files
	for _, p := range pkgs {
		if p.ForTest != "" && p.PkgPath == p.ForTest {
			inTests[p.PkgPath] = true
		}
	}
	taken := map[string]*packages.Package{}
	for _, p := range pkgs {
		if !strings.HasSuffix(p.ID, ".test") && (p.ForTest != "" || !inTests[p.PkgPath]) {
			taken[p.ID] = p
		}
	}
	seen := map[*packages.Package]bool{}
	var visit func(p *packages.Package)
	visit = func(p *packages.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, path := range slices.Sorted(maps.Keys(p.Imports)) {
			visit(p.Imports[path])
		}
		// Who imports a package without its tests needs what is generated for it with them.
		if q := taken[variant(p.PkgPath)]; q != nil && p.ForTest != p.PkgPath {
			visit(q)
		}
		if taken[p.ID] != nil {
			r.add(p)
		}
	}
	for _, p := range pkgs {
		visit(p)
	}
}

// variant is the ID of a package with its test files.
func variant(path string) string { return path + " [" + path + ".test]" }

func (r *Result) add(p *packages.Package) {
	out := &Package{ID: p.ID, Path: p.PkgPath, Name: p.Name, Dir: p.Dir, loaded: p, files: p.Syntax, result: r}
	if out.Dir == "" && len(p.GoFiles) > 0 {
		out.Dir = filepath.Dir(p.GoFiles[0])
	}
	r.errors(out)
	for _, f := range p.CompiledGoFiles {
		if src, err := os.ReadFile(f); err == nil && filepath.Dir(f) == out.Dir && IsOurs(f, src) {
			out.Own = append(out.Own, f)
		}
	}
	out.others = r.declaredElsewhere(out)
	if len(out.files) > 0 || out.Broken || len(out.Own) > 0 {
		r.Packages = append(r.Packages, out)
	}
}

// declaredElsewhere lists the package-level names in the directory's files that are not built now: those of
// other platforms and tags, and tests.
func (r *Result) declaredElsewhere(p *Package) []extract.Other {
	built := map[string]bool{}
	for _, f := range p.loaded.GoFiles {
		built[f] = true
	}
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		return nil
	}
	var names []extract.Other
	for _, e := range entries {
		path := filepath.Join(p.Dir, e.Name())
		if e.IsDir() || !strings.HasSuffix(path, ".go") || built[path] {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil || IsOurs(path, src) {
			continue
		}
		fset := token.NewFileSet()
		f, _ := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
		if f != nil && f.Name != nil && f.Name.Name == p.Name {
			match, err := r.build.MatchFile(p.Dir, e.Name())
			built := match && err == nil && strings.HasSuffix(path, "_test.go")
			names = append(names, extract.Declared(fset, f, built)...)
		}
	}
	sort.Slice(names, func(i, j int) bool { return names[i].Name < names[j].Name })
	return names
}

// Input is what extract reads, without any output in place.
func (p *Package) Input() extract.Input {
	in := p.input(p.loaded.Types, p.loaded.TypesInfo, p.files)
	in.Errors = p.loaded.TypeErrors
	return in
}

func (p *Package) input(pkg *types.Package, info *types.Info, files []*ast.File) extract.Input {
	return extract.Input{
		Path: p.Path, Name: p.Name, Dir: p.Dir,
		Fset: p.result.Fset, Files: files, Types: pkg, Info: info, Others: p.others,
	}
}
