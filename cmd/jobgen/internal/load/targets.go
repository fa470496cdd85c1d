package load

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// target is a package that concerns jobgen.
type target struct {
	pattern string // what to load it by
	dir     string
	tests   bool // a test file mentions jobgen
}

// targets picks, among the packages of the patterns, those with a directive or an output of ours. The
// others cost no more than reading their files: their types are never asked for.
func (r *Result) targets(ctx context.Context, cfg Config) ([]target, error) {
	var found []target
	var remote []string
	for _, p := range cfg.Patterns {
		dir, ok := directory(cfg.Dir, p)
		if !ok {
			remote = append(remote, p)
			continue
		}
		t, files := scan(p, dir)
		switch {
		case files == 0:
			found = append(found, t) // the go command's own words are best
		case t.pattern == "":
			r.Quiet = append(r.Quiet, dir)
		default:
			found = append(found, t)
		}
	}
	if len(remote) == 0 {
		return found, nil
	}
	pc := r.config(ctx, cfg)
	pc.Mode = packages.NeedName | packages.NeedFiles
	pkgs, err := packages.Load(pc, remote...)
	if err != nil {
		return nil, loadError(err)
	}
	for _, p := range pkgs {
		dir := p.Dir
		if dir == "" && len(p.GoFiles) > 0 {
			dir = filepath.Dir(p.GoFiles[0])
		}
		if dir == "" {
			for _, e := range p.Errors {
				r.report(e, model.CannotLoad)
			}
			continue
		}
		if t, _ := scan(p.PkgPath, dir); t.pattern != "" {
			found = append(found, t)
		} else if len(p.GoFiles) > 0 {
			r.Quiet = append(r.Quiet, dir)
		}
	}
	sort.Strings(r.Quiet)
	return unique(found), nil
}

func unique(ts []target) []target {
	seen := map[string]bool{}
	var out []target
	for _, t := range ts {
		if !seen[t.dir] {
			seen[t.dir] = true
			out = append(out, t)
		}
	}
	return out
}

// directory resolves a pattern that names one directory, which needs no go command to be found.
func directory(base, pattern string) (string, bool) {
	if strings.Contains(pattern, "...") {
		return "", false
	}
	if pattern != "." && pattern != ".." && !strings.HasPrefix(pattern, "./") && !strings.HasPrefix(pattern, "../") && !filepath.IsAbs(pattern) {
		return "", false
	}
	dir := pattern
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(base, dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	// The go command reports files under the directory's real name only if it was given that.
	return abs, true
}

// scan reads the Go files of a directory. The answer's pattern is empty if none concerns jobgen.
func scan(pattern, dir string) (t target, files int) {
	t.dir = dir
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.pattern = pattern
		return t, 0
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") {
			continue
		}
		files++
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !IsOurName(name) && !mentions(src) {
			continue
		}
		t.pattern = pattern
		if strings.HasSuffix(name, "_test.go") {
			t.tests = true
		}
	}
	if files == 0 {
		t.pattern = pattern
	}
	return t, files
}

// mentions is broader than the directive's prefix, so that one with a space in it is found, too.
func mentions(src []byte) bool { return mention.Match(src) }

var mention = regexp.MustCompile(`(?i)// *jobgen:`)
