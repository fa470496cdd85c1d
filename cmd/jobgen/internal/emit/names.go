package emit

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"sort"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// names decides, once for a file, under which names it imports packages.
type names struct {
	pkg     *model.Package
	aliases map[string]string // import path -> name in the file
	taken   map[string]bool   // what a type parameter or local variable must not be called
	locals  map[string]bool   // every name that was given to a local variable
	pool    *pool
}

// pool is what the outputs of a package share: the package-level names that they declare besides those of
// the plans, and the functions of the output that is always built, which the others may call.
type pool struct {
	taken map[string]bool
	specs map[string]string // the functions that make the workers' specs, by worker

	shared map[int]*codecFuncs // those in the output that is always built, by the codec's ID
}

func newPool(p *model.Package) *pool {
	l := &pool{taken: map[string]bool{}, specs: map[string]string{}}
	for name := range p.Reserved {
		l.taken[name] = true
	}
	workers := make([]string, 0, len(p.Workers))
	for _, w := range p.Workers {
		workers = append(workers, w.Name)
		for _, name := range w.Plan().Names() {
			l.taken[name] = true
		}
	}
	sort.Strings(workers)
	n := &names{pkg: p, taken: l.taken, pool: l}
	for _, w := range workers {
		l.specs[w] = n.helper("spec" + upper(w))
	}
	return l
}

// newNames chooses the import names for the packages of used, a map from import path to real name.
// An import must not be called like anything at package level, or like a predeclared name.
func newNames(p *model.Package, l *pool, used map[string]string) *names {
	n := &names{pkg: p, aliases: map[string]string{}, taken: maps.Clone(l.taken), locals: map[string]bool{}, pool: l}
	// The runtime, context and the kernel come first, so that they keep their usual names where they can.
	paths := []string{model.Runtime, "context", model.Kernel}
	var rest []string
	for path := range used {
		if path != model.Runtime && path != "context" && path != model.Kernel {
			rest = append(rest, path)
		}
	}
	sort.Strings(rest)
	for _, path := range append(paths, rest...) {
		name, ok := used[path]
		if !ok {
			continue
		}
		if path == model.Runtime && n.isTaken(name) {
			name = "jobgenrt"
		}
		n.aliases[path] = n.free(name, nil)
		n.taken[n.aliases[path]] = true
	}
	return n
}

// isTaken says whether a name has a meaning in the file that the output must not hide. jennifer keeps
// err for itself.
func (n *names) isTaken(name string) bool {
	return n.taken[name] || name == "err" || types.Universe.Lookup(name) != nil || token.IsKeyword(name)
}

// free is name, or name with a number if it is taken here or in local.
func (n *names) free(name string, local map[string]bool) string {
	unique := name
	for i := 2; n.isTaken(unique) || local[unique]; i++ {
		unique = fmt.Sprintf("%s%d", name, i)
	}
	return unique
}

// helper is a package-level name for a function that no user calls: the wanted name or one like it.
func (n *names) helper(want string) string { return n.helpers(want, "")[0] }

// helpers are such names with several prefixes and the same rest.
func (n *names) helpers(rest string, prefixes ...string) []string {
	for i := 1; ; i++ {
		var all []string
		for _, p := range prefixes {
			name := p + rest
			if i > 1 {
				name = fmt.Sprintf("%s%d", name, i)
			}
			if n.isTaken(name) || n.locals[name] || n.pkg.Imported[name] {
				break
			}
			all = append(all, name)
		}
		if len(all) < len(prefixes) {
			continue
		}
		for _, name := range all {
			n.taken[name], n.pool.taken[name] = true, true
		}
		return all
	}
}

// scope hands out the names of one function's variables and parameters.
type scope struct {
	names *names
	used  map[string]bool
}

func (n *names) scope(params []string) *scope {
	s := &scope{n, map[string]bool{}}
	for _, p := range params {
		s.used[p] = true
	}
	return s
}

// name is the wanted name or, where that would hide something, one like it.
func (s *scope) name(want string) string {
	want = strings.TrimLeft(want, "_")
	if want == "" {
		want = "a"
	}
	got := want
	if want != "err" || s.used["err"] || s.names.taken["err"] {
		got = s.names.free(want, s.used)
	}
	s.used[got], s.names.locals[got] = true, true
	return got
}

// usedPackages lists the packages that the types of a file's workers and errors mention, and those that the
// output always may.
func usedPackages(p *model.Package, workers []*model.Worker, instances []*model.Instance, errs []*model.ErrorType) map[string]string {
	used := map[string]string{model.Runtime: model.RuntimeName, "context": "context"}
	seen := map[*model.Codec]bool{}
	add := func(t model.Type) {
		t.Walk(func(t model.Type) {
			switch {
			case t.Kind == model.Named && t.Path != p.Path:
				used[t.Path] = t.PkgName
			case t.Kind == model.Basic && shadowed(p, t.Name):
				used[model.Universe] = model.UniverseName
			}
		})
	}
	for name := range p.Shadowed {
		switch name {
		case "error", "int", "nil", "true", "byte":
			used[model.Universe] = model.UniverseName
		}
	}
	for _, w := range workers {
		for _, tp := range w.TypeParams {
			add(tp.Constraint)
		}
		for _, m := range []*model.Method{w.Do, w.MapJob} {
			if m == nil {
				continue
			}
			for _, q := range m.Params {
				add(q.Type)
			}
			for _, q := range m.Results {
				add(q.Type)
			}
		}
	}
	var codec func(*model.Codec)
	codec = func(c *model.Codec) {
		if c == nil || seen[c] {
			return
		}
		seen[c] = true
		add(c.Type)
		if c.Scalar != "" {
			add(model.Type{Kind: model.Basic, Name: c.Scalar})
		}
		codec(c.Key)
		codec(c.Elem)
		for _, fl := range c.Fields {
			codec(fl.Codec)
		}
	}
	travel := func(t *model.Travel) {
		if t == nil {
			return
		}
		used[model.Kernel] = model.KernelName
		codec(t.Value)
		for _, fl := range t.Config {
			codec(fl.Codec)
		}
		for _, c := range append(append([]*model.Codec{}, t.In...), t.Out...) {
			codec(c)
		}
	}
	for _, w := range workers {
		travel(w.Travel)
	}
	for _, e := range errs {
		if e.Codec != nil {
			used[model.Kernel] = model.KernelName
			codec(e.Codec)
		}
		for _, fl := range e.Fields {
			add(fl.Type)
		}
	}
	for _, in := range instances {
		travel(in.Travel)
		for _, a := range in.Args {
			add(a)
		}
		if in.Do != nil {
			for _, q := range append(append([]model.Param{}, in.Do.Params...), in.Do.Results...) {
				add(q.Type)
			}
		}
	}
	return used
}

// shadowed says whether a predeclared name means something else in the package. any needs no stand-in.
func shadowed(p *model.Package, name string) bool {
	_, ok := p.Shadowed[name]
	return ok && name != "any"
}
