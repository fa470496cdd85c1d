package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/stale"
)

// change is a file that is not what it should be.
type change struct {
	path    string
	old     []byte // nil if there is no such file
	want    []byte // nil if it is to be removed
	moved   bool   // only positions or line ends differ, which -check does not mind
	reasons []string
}

// generateCommand is jobgen without a subcommand.
func generateCommand(ctx context.Context, o options, patterns []string, stdout, stderr io.Writer) int {
	out := &printer{o: o, stdout: stdout, stderr: stderr}
	r, err := load.Load(ctx, load.Config{Dir: o.dir, Tags: o.tags, Patterns: patterns})
	if ctx.Err() != nil {
		return interrupted(stderr)
	}
	if err != nil {
		out.diagnostic(o.cannotLoad(err))
		return out.finish()
	}
	all := r.Diagnostics
	var changes []change
	dirs := map[string]bool{}
	for _, b := range buildAll(o, r) {
		all = append(all, b.diagnostics...)
		dirs[b.pkg.Dir] = true
		if b.files == nil {
			continue
		}
		cs, ds := compare(b)
		changes = append(changes, cs...)
		all = append(all, ds...)
	}
	sort.SliceStable(changes, func(i, j int) bool { return changes[i].path < changes[j].path })
	if ctx.Err() != nil {
		return interrupted(stderr)
	}
	if !o.check && !o.diff && !o.dry {
		for _, c := range changes {
			if d := c.apply(); d != nil {
				all = append(all, *d)
				continue
			}
			out.wrote(c)
		}
		for dir := range dirs {
			removeLeftovers(dir)
		}
	} else {
		for _, c := range changes {
			out.pending(c)
		}
	}
	for _, d := range model.SortDiagnostics(all) {
		out.diagnostic(d)
	}
	out.quiet(r, patterns)
	return out.finish()
}

// interrupted says that a signal has ended the command, and returns its exit code. It is for the time before anything is
// written; what is being written then is written to its end.
func interrupted(stderr io.Writer) int {
	fmt.Fprintln(stderr, "jobgen: interrupted; nothing was written")
	return exitFail
}

// compare finds what has to change on disk for a package.
func compare(b built) ([]change, []model.Diagnostic) {
	var changes []change
	var ds []model.Diagnostic
	paths := make([]string, 0, len(b.files))
	for path := range b.files {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		want := b.files[path]
		old, err := os.ReadFile(path)
		switch {
		case os.IsNotExist(err):
			c := change{path: path, want: want, reasons: []string{"it is missing"}}
			for _, r := range stale.News(want) {
				c.reasons = append(c.reasons, located(b.model, r))
			}
			changes = append(changes, c)
		case err != nil:
			ds = append(ds, model.Diagnostic{Code: model.CannotWrite, Pos: model.Pos{File: path}, Message: plain(err)})
		case !load.IsOurs(path, old):
			ds = append(ds, model.Diagnostic{Code: model.NotOurs, Pos: model.Pos{File: path, Line: 1, Col: 1},
				Message: "the output for " + b.model.Path + " belongs here, but jobgen did not write this file"})
		case bytes.Equal(old, want):
		case bytes.Equal(bytes.ReplaceAll(old, []byte("\r\n"), []byte("\n")), want):
		default:
			c := change{path: path, old: old, want: want, moved: stale.Same(old, want)}
			if !c.moved {
				for _, r := range stale.Reasons(old, want) {
					c.reasons = append(c.reasons, located(b.model, r))
				}
			}
			changes = append(changes, c)
		}
	}
	for _, path := range b.pkg.Own {
		if _, ok := b.files[path]; ok {
			continue
		}
		old, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		c := change{path: path, old: old}
		for _, r := range stale.Ends(old) {
			c.reasons = append(c.reasons, r.Text)
		}
		if len(c.reasons) == 0 {
			c.reasons = []string{"no worker or error type belongs to it"}
		}
		changes = append(changes, c)
	}
	return changes, ds
}

// located adds the position of what a reason is about.
func located(p *model.Package, r stale.Reason) string {
	if e := p.Error(r.Error); e != nil {
		return fmt.Sprintf("%s (%s:%d)", r.Text, e.Pos.Base(), e.Pos.Line)
	}
	w := p.Worker(r.Worker)
	if w == nil {
		return r.Text
	}
	pos := w.Pos
	for _, m := range []*model.Method{w.Do, w.MapJob, w.Setup, w.Close} {
		if m != nil && m.Name == r.Method {
			pos = m.Pos
		}
	}
	return fmt.Sprintf("%s (%s:%d)", r.Text, pos.Base(), pos.Line)
}

// unified is the change as a diff.
func (c change) unified() []byte {
	name := filepath.ToSlash(relative(c.path))
	from, to := "a/"+name, "b/"+name
	if c.old == nil {
		from = "/dev/null"
	}
	if c.want == nil {
		to = "/dev/null"
	}
	d := diff.Diff(from, c.old, to, c.want)
	// The package's first line is a command that was never run.
	if i := bytes.IndexByte(d, '\n'); i >= 0 && bytes.HasPrefix(d, []byte("diff ")) {
		d = d[i+1:]
	}
	return d
}

// relative is a path as the user would type it, if it is below the current directory.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || strings.HasPrefix(rel, ".."+string(filepath.Separator)+"..") {
		return path
	}
	return rel
}

func base(path string) string { return filepath.Base(path) }
