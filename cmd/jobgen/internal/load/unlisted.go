package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/tools/go/packages"
)

// unlisted says why targets are not among the packages that were loaded; nil if all are there. A go command that
// fails before it lists anything says so on its standard error alone, and go/packages drops that where it asks
// for export data: to it there are just no packages.
func (r *Result) unlisted(ctx context.Context, cfg Config, targets []target, pkgs []*packages.Package) error {
	var listed []os.FileInfo
	seen := map[string]bool{}
	for _, p := range pkgs {
		if seen[p.Dir] {
			continue
		}
		seen[p.Dir] = true
		if info, err := os.Stat(p.Dir); err == nil {
			listed = append(listed, info)
		}
	}
	var patterns []string
	tests := false
	for _, t := range targets {
		if seen[t.dir] {
			continue
		}
		// The go command may call a directory by another name.
		info, err := os.Stat(t.dir)
		found := false
		for _, l := range listed {
			found = found || err == nil && os.SameFile(l, info)
		}
		if !found {
			patterns = append(patterns, t.pattern)
			tests = tests || t.tests
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	args := []string{"list", "-e", "-export", "-deps", "-compiled", fmt.Sprintf("-test=%t", tests), "-buildvcs=false"}
	if cfg.Tags != "" {
		args = append(args, "-tags="+cfg.Tags)
	}
	cmd := exec.CommandContext(ctx, "go", append(append(args, "--"), patterns...)...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = cfg.Dir, &said
	err := cmd.Run()
	if text := bytes.TrimSpace(said.Bytes()); len(text) > 0 {
		return loadError(errors.New(string(text)))
	}
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	return fmt.Errorf("the go command does not list %s, where there are Go files that concern jobgen", patterns[0])
}
