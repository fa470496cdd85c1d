package load

import (
	"bytes"
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// withoutOutput returns the flag that keeps the old output of the targets from the go command, and a function that removes
// what it stands for. The go command compiles what it lists: a stale output takes it about half a second for each worker,
// after each change, and is of use to nobody. Packages between two targets are not missed where they do not compile
// then, because go/packages reads what imports a target from its sources.
//
// Where it cannot be done there is no flag, and a load that takes longer.
func withoutOutput(ctx context.Context, cfg Config, targets []target) (flags []string, remove func()) {
	remove = func() {}
	stubs := map[string][]byte{} // by the file that they stand for
	for _, t := range targets {
		entries, err := os.ReadDir(t.dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if path := filepath.Join(t.dir, e.Name()); IsOurName(path) {
				if s := stub(path); s != nil {
					stubs[path] = s
				}
			}
		}
	}
	if len(stubs) == 0 || ownOverlay(ctx, cfg) {
		return nil, remove
	}
	dir, err := os.MkdirTemp("", "jobgen-")
	if err != nil {
		return nil, remove
	}
	remove = func() { os.RemoveAll(dir) }
	flag, err := overlay(dir, stubs)
	if err != nil {
		return nil, remove
	}
	return []string{flag}, remove
}

// stub is the head of an output, up to its package clause: the file belongs to the same package, in the same builds. It is nil
// for what is no output of ours, or a damaged one.
func stub(path string) []byte {
	src, err := os.ReadFile(path)
	if err != nil || !IsOurs(path, src) {
		return nil
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, src, parser.PackageClauseOnly)
	if err != nil {
		return nil
	}
	return append(bytes.Clone(src[:fset.Position(f.Name.End()).Offset]), '\n')
}

// overlay writes the stubs to dir and returns the flag that makes the go command read them.
func overlay(dir string, stubs map[string][]byte) (flag string, err error) {
	replace := map[string]string{}
	for path, src := range stubs {
		f, err := os.CreateTemp(dir, "*.go")
		if err != nil {
			return "", err
		}
		replace[path] = f.Name()
		_, err = f.Write(src)
		if closing := f.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(struct{ Replace map[string]string }{replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return "-overlay=" + path, os.WriteFile(path, text, 0o600)
}

// ownOverlay says whether the user's settings name an overlay, beside which there cannot be another one, or something
// other than the go command to list packages.
func ownOverlay(ctx context.Context, cfg Config) bool {
	if d := os.Getenv("GOPACKAGESDRIVER"); d != "" && d != "off" {
		return true
	}
	cmd := exec.CommandContext(ctx, "go", "env", "GOFLAGS")
	cmd.Dir = cfg.Dir
	flags, err := cmd.Output()
	return err != nil || strings.Contains(string(flags), "-overlay")
}
