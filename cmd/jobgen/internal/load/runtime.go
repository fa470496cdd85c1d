package load

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"

	"golang.org/x/sync/errgroup"
	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// runtimePackages are the packages that only the output imports. They are not loaded with the user's packages,
// because that load may ask for tests, and those of the runtime are nobody's business.
type runtimePackages struct {
	search errgroup.Group
	found  map[string]*packages.Package // when the search has ended
	loaded map[string]*types.Package    // by import path, with all that they import
}

// findRuntime starts looking for the runtime while the user's packages are loaded.
func (r *Result) findRuntime(ctx context.Context, cfg Config) *runtimePackages {
	rt := &runtimePackages{found: map[string]*packages.Package{}}
	pc := r.config(ctx, cfg)
	pc.Mode = packages.NeedName | packages.NeedFiles | packages.NeedExportFile
	rt.search.Go(func() error {
		pkgs, err := packages.Load(pc, model.Runtime, model.Kernel, model.Universe)
		for _, p := range pkgs {
			if p.ExportFile != "" {
				rt.found[p.PkgPath] = p
			} else if p.PkgPath == model.Runtime && len(p.GoFiles) > 0 {
				err = errors.New("it is there, but cannot be built; go build says why")
			}
		}
		return err
	})
	return rt
}

// has waits for the search to end and says whether it found a package.
func (rt *runtimePackages) has(path string) bool {
	_ = rt.search.Wait() // what it found counts
	return rt.found[path] != nil
}

// RuntimeError says why the user's module cannot import the runtime; nil if it can.
func (r *Result) RuntimeError() error {
	if r.runtime.has(model.Runtime) {
		return nil
	}
	if err := r.runtime.search.Wait(); err != nil {
		return err
	}
	return errors.New("the module does not have it")
}

// HasKernel says whether that runtime has the package that codecs are made of.
func (r *Result) HasKernel() bool { return r.runtime.has(model.Kernel) }

// RuntimeHas says whether that runtime declares a name, which one of another version may not.
func (r *Result) RuntimeHas(name string) bool { return r.declares(model.Runtime, name) }

// KernelHas says the same of its package wire.
func (r *Result) KernelHas(name string) bool { return r.declares(model.Kernel, name) }

func (r *Result) declares(path, name string) bool {
	p, err := r.export(path)
	return err == nil && p.Scope().Lookup(name) != nil
}

// HasUniverse says whether that runtime has the package of predeclared types.
func (r *Result) HasUniverse() bool { return r.runtime.has(model.Universe) }

// export reads a package's export data. What it imports is shared with the packages that were loaded, so
// that context.Context is one type everywhere.
func (r *Result) export(path string) (*types.Package, error) {
	rt := r.runtime
	if !rt.has(path) {
		return nil, fmt.Errorf("package %s is not loaded", path)
	}
	known := r.known()
	if p := known[path]; p != nil && p.Complete() {
		return p, nil
	}
	f, err := os.Open(rt.found[path].ExportFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	//lint:ignore SA1019 the go command of Go 1.26 writes archives, which only NewReader can open
	data, err := gcexportdata.NewReader(f)
	if err != nil {
		return nil, err
	}
	return gcexportdata.Read(data, r.Fset, known, path)
}

// readRuntime makes all that the runtime's declarations mention known. What cannot be read is said where the output
// imports it.
func (r *Result) readRuntime() {
	for path := range r.runtime.found {
		_, _ = r.export(path)
	}
}

// known is every package that the loaded ones import, directly or not. Packages read later join it.
func (r *Result) known() map[string]*types.Package {
	rt := r.runtime
	if rt.loaded == nil {
		rt.loaded = map[string]*types.Package{}
		for _, p := range r.Packages {
			collect(p.loaded.Types, rt.loaded)
		}
	}
	return rt.loaded
}

// collect adds everything that a package imports, directly or not.
func collect(p *types.Package, into map[string]*types.Package) {
	if p == nil {
		return
	}
	for _, q := range p.Imports() {
		if into[q.Path()] == nil {
			into[q.Path()] = q
			collect(q, into)
		}
	}
}
