// Package emit writes the generated code: from the model of a package to the bytes of its files. It
// reads and writes nothing, and the same model gives the same bytes.
package emit

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"
	"golang.org/x/tools/imports"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// Package renders the output of a package whose model check has nothing against, by absolute path.
func Package(p *model.Package) (map[string][]byte, error) {
	files := map[string][]byte{}
	l := newPool(p)
	for _, out := range p.Outputs() { // the one that is always built comes first
		src, err := render(p, l, out)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(p.Dir, out.Base)
		if files[path] != nil {
			return nil, fmt.Errorf("two build constraints need a file %s, one of them %s", out.Base, out.Constraint)
		}
		files[path] = src
	}
	return files, nil
}

// file is an output under construction.
type file struct {
	pkg      *model.Package
	names    *names
	universe bool // some name had to be taken from the runtime's package universe

	*pool
	suffix  string                       // of the helpers' names, so that outputs which are built together do not collide
	own     map[*model.Codec]*codecFuncs // written into this file
	pending []*codecFuncs
}

// always is the output that is built whenever any other is.
const always = "jobgen_gen.go"

func render(p *model.Package, l *pool, out model.Output) ([]byte, error) {
	var workers []*model.Worker
	for _, w := range p.Workers {
		if w.Output == out {
			workers = append(workers, w)
		}
	}
	sort.SliceStable(workers, func(i, j int) bool { return workers[i].Name < workers[j].Name })
	var instances []*model.Instance
	for _, in := range p.Instances {
		if in.Output == out && in.Bad == "" {
			instances = append(instances, in)
		}
	}
	sort.SliceStable(instances, func(i, j int) bool { return instances[i].Text < instances[j].Text })

	var errs []*model.ErrorType
	for _, e := range p.Errors {
		if e.Output == out {
			errs = append(errs, e)
		}
	}
	sort.SliceStable(errs, func(i, j int) bool { return errs[i].Name < errs[j].Name })

	used := usedPackages(p, workers, instances, errs)
	f := &file{pkg: p, names: newNames(p, l, used), pool: l, suffix: outputSuffix(out), own: map[*model.Codec]*codecFuncs{}}
	g := jen.NewFilePathName(p.Path, p.Name)
	header := model.Header
	if out.Constraint != "" {
		header += "\n\n//go:build " + out.Constraint
	}
	g.HeaderComment(header)
	for path, name := range used {
		if alias := f.names.aliases[path]; alias == name && path != model.Runtime {
			g.ImportName(path, name)
		} else {
			g.ImportAlias(path, alias)
		}
	}
	f.guard(g)
	for _, w := range workers {
		f.worker(g, w)
	}
	for _, in := range instances {
		f.instance(g, p.Worker(in.Worker), in)
	}
	for _, e := range errs {
		f.errorRegistration(g, e)
	}
	f.codecFuncs(g)
	if out.Base == always {
		l.shared = map[int]*codecFuncs{}
		for c, fs := range f.own {
			if c.ID != 0 {
				l.shared[c.ID] = fs
			}
		}
	}
	var b bytes.Buffer
	if err := g.Render(&b); err != nil {
		return nil, fmt.Errorf("%s: %w", out.Base, err)
	}
	// With imports in groups, as goimports has them, an editor that runs it on each file does not make this one stale.
	src, err := imports.Process(out.Base, b.Bytes(), &imports.Options{FormatOnly: true, Comments: true, TabIndent: true, TabWidth: 8})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", out.Base, err)
	}
	return src, nil
}

func (f *file) runtime(name string) *jen.Statement { return jen.Qual(model.Runtime, name) }

// comment writes each line as a // comment; jennifer would make one /* */ of several.
func comment(lines ...string) jen.Code {
	for i, l := range lines {
		lines[i] = "// " + l
	}
	return jen.Comment(strings.Join(lines, "\n"))
}

// guard ties the file to the version of the runtime that it was written for.
func (f *file) guard(g *jen.File) {
	g.Add(comment(
		fmt.Sprintf("This file was written for version %d of the contract with the runtime. If it does not compile,", model.ABI),
		"the two do not fit together: run go generate."))
	g.Const().Id("_").Op("=").Add(f.runtime(fmt.Sprintf("ABI%d", model.ABI)))
	g.Line()
}

// worker writes everything for one worker.
func (f *file) worker(g *jen.File, w *model.Worker) {
	u := f.unit(w)
	g.Add(u.runner()).Line()
	if u.plan.Job != "" {
		g.Add(u.job()).Line()
	}
	if u.plan.Result != "" {
		g.Add(u.result()).Line()
	}
	g.Add(u.constructor()).Line()
	g.Add(u.specFunc()).Line()
	if u.plan.RunN {
		g.Add(u.runN()).Line()
	}
	if u.plan.Batch != "" {
		g.Add(u.batch()).Line()
	}
	g.Add(u.tripwires()...)
}

// quoteTag writes a struct tag the way Go programmers do, where that is possible.
func quoteTag(tag string) string {
	if strconv.CanBackquote(tag) {
		return "`" + tag + "`"
	}
	return strconv.Quote(tag)
}
