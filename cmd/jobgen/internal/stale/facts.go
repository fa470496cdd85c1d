// Package stale explains why a generated file is not what jobgen would write now. It compares two texts, the
// file on disk and the one that would replace it, and knows nothing of how either came about.
package stale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// facts are what a generated file says about its workers.
type facts struct {
	abi     string
	workers map[string]*worker
	errors  map[string]string // the forms of error types, by name
	forms   map[string]string // the fingerprints of instances of generic workers, by the functions that describe them
}

type worker struct {
	fn         bool
	methods    map[string]*signature // Do and MapJob
	tparams    string
	bound      []param
	results    []string // the fields of its result struct
	local      string
	form       string // the fingerprint of what travels
	setup      bool
	close      bool
	registered map[string]bool // instances
}

type signature struct {
	params  []param
	results []string
}

type param struct{ name, typ string }

func (p param) String() string {
	if p.name == "" || p.name == "_" {
		return p.typ
	}
	return p.name + " " + p.typ
}

// read extracts the facts of a generated file as far as it can be parsed. The error is the parser's.
func read(src []byte) (*facts, error) {
	f := &facts{workers: map[string]*worker{}, errors: map[string]string{}, forms: map[string]string{}}
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if file == nil {
		return f, err
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			f.general(d)
		case *ast.FuncDecl:
			f.function(d)
		}
	}
	return f, err
}

func (f *facts) worker(name string) *worker {
	w := f.workers[name]
	if w == nil {
		w = &worker{methods: map[string]*signature{}, registered: map[string]bool{}}
		f.workers[name] = w
	}
	return w
}

func (f *facts) general(d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			if d.Tok == token.CONST && len(s.Values) == 1 {
				if sel, ok := s.Values[0].(*ast.SelectorExpr); ok {
					f.abi = sel.Sel.Name
				}
			}
			if d.Tok == token.VAR {
				f.tripwire(s, false)
			}
		case *ast.TypeSpec:
			st, ok := s.Type.(*ast.StructType)
			if name, is := strings.CutSuffix(s.Name.Name, "Result"); ok && is && st.Fields != nil {
				w := f.worker(name)
				for _, fl := range st.Fields.List {
					for _, n := range fl.Names {
						w.results = append(w.results, n.Name+" "+types.ExprString(fl.Type))
					}
				}
			}
		}
	}
}

// tripwire reads var _ func(…) … = (*X).Do. One of a generic worker stands in a generic function;
// elsewhere a worker with type arguments is a registered instance.
func (f *facts) tripwire(s *ast.ValueSpec, generic bool) {
	ft, ok := s.Type.(*ast.FuncType)
	if !ok || len(s.Values) != 1 {
		return
	}
	value, method, fn := s.Values[0], "Do", true
	if sel, ok := value.(*ast.SelectorExpr); ok {
		method, fn = sel.Sel.Name, false
		value = sel.X
		if p, ok := value.(*ast.ParenExpr); ok {
			value = p.X
		}
		if st, ok := value.(*ast.StarExpr); ok {
			value = st.X
		}
	}
	var of ast.Expr
	switch v := value.(type) {
	case *ast.IndexExpr:
		of = v.X
	case *ast.IndexListExpr:
		of = v.X
	default:
		of = v
	}
	name, ok := of.(*ast.Ident)
	if !ok {
		return
	}
	w := f.worker(name.Name)
	if of != value && !generic {
		w.registered[types.ExprString(value)] = true
		return
	}
	w.fn = fn
	w.methods[method] = signatureOf(ft, !fn)
}

func signatureOf(ft *ast.FuncType, receiver bool) *signature {
	s := &signature{params: params(ft.Params)}
	if receiver && len(s.params) > 0 {
		s.params = s.params[1:]
	}
	for _, p := range params(ft.Results) {
		s.results = append(s.results, p.typ)
	}
	return s
}

func params(list *ast.FieldList) []param {
	if list == nil {
		return nil
	}
	var out []param
	for _, fl := range list.List {
		typ := types.ExprString(fl.Type)
		if len(fl.Names) == 0 {
			out = append(out, param{"", typ})
		}
		for _, n := range fl.Names {
			out = append(out, param{n.Name, typ})
		}
	}
	return out
}

// function reads the function that describes a worker to the runtime, or the generic one around a tripwire.
func (f *facts) function(d *ast.FuncDecl) {
	if d.Body == nil || d.Recv != nil {
		return
	}
	if d.Name.Name == "_" {
		for _, s := range d.Body.List {
			ds, ok := s.(*ast.DeclStmt)
			if !ok {
				continue
			}
			if gd, ok := ds.Decl.(*ast.GenDecl); ok && gd.Tok == token.VAR {
				for _, spec := range gd.Specs {
					if vs, ok := spec.(*ast.ValueSpec); ok {
						f.tripwire(vs, true)
					}
				}
			}
		}
		return
	}
	var w *worker // none in a function that describes an instance: it adds to another's description
	fields := map[string]bool{}
	local, form, errorType := "", "", ""
	ast.Inspect(d.Body, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, ok := kv.Key.(*ast.Ident)
		if !ok {
			return true
		}
		fields[key.Name] = true
		text := ""
		if lit, ok := kv.Value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ = strconv.Unquote(lit.Value)
		}
		switch key.Name {
		case "Name":
			w = f.worker(text[strings.LastIndexByte(text, '.')+1:])
		case "Type":
			errorType = text[strings.LastIndexByte(text, '.')+1:]
		case "Form":
			if lit, ok := kv.Value.(*ast.BasicLit); ok && errorType != "" {
				f.errors[errorType] = lit.Value
			}
		case "Local":
			local = text
		case "Fingerprint":
			if lit, ok := kv.Value.(*ast.BasicLit); ok {
				form = lit.Value
			}
		}
		return true
	})
	if w == nil {
		if form != "" {
			f.forms[d.Name.Name] = form
		}
		return
	}
	w.local, w.form, w.setup, w.close = local, form, fields["Setup"], fields["Close"]
	for _, p := range params(d.Type.TypeParams) {
		w.tparams += p.String() + ", "
	}
	w.bound = params(d.Type.Params)
	if n := len(w.bound); n > 0 && strings.HasSuffix(w.bound[n-1].typ, ".Option") {
		w.bound = w.bound[:n-1] // as it was in the constructor, before there were codecs
	}
}
