package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

var qualified = regexp.MustCompile(`undefined: (\w+)\.(\w+)$`)

// elsewhere finds, among the types that a package is missing, those that jobgen would make in packages of other runs. They
// are not declared by anyone, but generated: go generate may just have come to this package first.
func elsewhere(o options, r *load.Result, b built) {
	for i, d := range b.diagnostics {
		name := qualified.FindStringSubmatch(d.Message)
		if d.Code != model.Unresolved || name == nil {
			continue
		}
		path := b.pkg.ImportPath(d.Pos.File, name[1])
		if path == "" || slices.ContainsFunc(r.Packages, func(p *load.Package) bool { return p.Path == path }) {
			continue // of this run: what keeps it from being generated is reported
		}
		if w := declarer(o, path, name[2]); w != nil {
			b.diagnostics[i].Remedy = fmt.Sprintf("jobgen generates it for worker %s of %s: run jobgen there first, or once for both, as in jobgen ./...", w.Name, path)
		}
	}
}

// declarer is the worker of a package for which a name is generated; nil if there is none.
func declarer(o options, path, name string) *model.Worker {
	r, err := load.Load(context.Background(), load.Config{Dir: o.dir, Tags: o.tags, Patterns: []string{path}})
	if err != nil {
		return nil
	}
	for _, p := range r.Packages {
		if p.Path != path || p.Broken {
			continue
		}
		for _, w := range build(r, p).model.Workers {
			if w.Do != nil && !strings.HasSuffix(w.Pos.File, "_test.go") && slices.Contains(w.Plan().Names(), name) {
				return w
			}
		}
	}
	return nil
}
