package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestArrows keeps the heavy libraries where they belong: packages are loaded in one place, code is written
// in one place, and the model knows nothing of either.
func TestArrows(t *testing.T) {
	only := map[string]string{
		"golang.org/x/tools/go/packages": "internal/load",
		"github.com/dave/jennifer/jen":   "internal/emit",
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if home := only[name]; home != "" && dir != home {
				t.Errorf("%s imports %s, which is for %s alone", path, name, home)
			}
			if dir == "internal/model" && strings.Contains(name, "jobgen/jobgen") {
				t.Errorf("%s imports %s; the model imports nothing of jobgen", path, name)
			}
			if strings.HasPrefix(name, "github.com/jobgen/jobgen/runtime") {
				t.Errorf("%s imports %s; a generator that needs the runtime to compile cannot mend it", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
