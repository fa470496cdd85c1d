// Package model holds what jobgen knows of a package as plain structs: what [load] and extract found
// in the source, in the form that check and emit read. It imports nothing of go/types, so that both
// can be tested without loading anything.
package model

import (
	"fmt"
	"go/token"
	"path/filepath"
	"strings"
)

// Runtime is the import path of the package that generated code calls, RuntimeName its name.
const (
	Runtime     = "github.com/jobgen/jobgen/runtime"
	RuntimeName = "jobgen"

	// Universe is the import path of the package that names the predeclared types once more, for
	// packages that use one of their names for something else.
	Universe     = Runtime + "/universe"
	UniverseName = "universe"
)

// ABI is the version of the contract between generated code and the runtime that emit writes for.
const ABI = 1

// Pos is a position in a source file.
type Pos struct {
	File      string // absolute
	Line, Col int
	Token     token.Pos // in the file set that the package was read with
}

// IsValid says whether the position is known.
func (p Pos) IsValid() bool { return p.File != "" }

// Base is the file's base name.
func (p Pos) Base() string { return filepath.Base(p.File) }

// Short is the position as it is written into generated code and texts: base:line:col.
func (p Pos) Short() string { return fmt.Sprintf("%s:%d:%d", p.Base(), p.Line, p.Col) }

// Less orders positions by file, line and column.
func (p Pos) Less(q Pos) bool {
	if p.File != q.File {
		return p.File < q.File
	}
	if p.Line != q.Line {
		return p.Line < q.Line
	}
	return p.Col < q.Col
}

// Package is one package as the compiler sees it; the test files of package foo belong to package
// foo, those of foo_test are a package of their own.
type Package struct {
	Path string // import path
	Name string // as in the package clause
	Dir  string

	Workers    []*Worker
	Instances  []*Instance
	Directives []Directive // every //jobgen: line, well-formed or not

	// Scope is where each package-level name and each name that an import brings into a file
	// is declared, in the files that are built now.
	Scope map[string]Pos

	// Reserved are names that an import of the output must not take: the package-level ones, also of
	// the directory's other files, which may be built together with the output at another time.
	Reserved map[string]bool

	// Shadowed are the predeclared names that the package declares itself at package level.
	Shadowed map[string]Pos
}

// Directive is a comment that starts with //jobgen:, or nearly so.
type Directive struct {
	Verb string
	Args []Arg
	Pos  Pos

	Spaced bool   // written as "// jobgen:…"
	Bad    string // why the line cannot be read; empty if it can
	Claim  Claim  // what it stands on
	Second bool   // another of its kind stands on the same declaration
}

// Arg is a word after the verb, with the position of its first character.
type Arg struct {
	Key, Value string // key=value, or the word alone as Key
	HasValue   bool
	Pos        Pos
}

// Claim says what kind of declaration a directive stands on.
type Claim int

const (
	Loose       Claim = iota // on nothing
	OnType                   // the doc comment of a defined type
	OnAlias                  // the doc comment of an alias
	OnFunc                   // the doc comment of a function
	OnMethod                 // the doc comment of a method
	OnGroup                  // the doc comment of a group of types
	OnValue                  // the doc comment of a constant, variable or import
	InFunc                   // in the body of a function, or on a type declared in one
	AfterDecl                // behind a declaration, on its line
	InStructure              // inside a type's declaration
)

// Worker is a type or function marked //jobgen:worker.
type Worker struct {
	Name   string
	Pos    Pos    // of the name
	File   string // absolute path of the file that declares it
	Output Output

	Func      bool // a function, not a type with a method Do
	Interface bool // the type is an interface, which has no value to copy
	Remote    bool // the user wants every backend
	BindPos   Pos
	Bind      []Arg // the names in bind=, each with its position

	TypeParams []TypeParam

	Do, MapJob, Setup, Close *Method // nil where the worker has none
	Misfit                   bool    // MapJob's results cannot be given to Do
	Hidden                   []NotMethod
	Bound                    []Param // the parameters that bind= made configuration

	Locks  []Reason // locks inside the worker's value
	Locals []Reason // why it cannot leave the process; empty if it can
}

// NotMethod is a field, or an ambiguous selector, where a method was looked for.
type NotMethod struct {
	Name string
	What string // "a field", "ambiguous: …"
	Pos  Pos
}

// TypeParam is a type parameter of a worker.
type TypeParam struct {
	Name       string
	Pos        Pos
	Constraint Type
	Integer    bool // its constraint admits integer types only
}

// Method is a function's signature, split the way jobgen reads it.
type Method struct {
	Name     string
	Pos      Pos
	Context  bool // it has a leading context.Context, which is not among Params
	Error    bool // it has a final error, which is not among Results
	Params   []Param
	Results  []Param
	Variadic bool // the last of Params is written ...T; its Type is the slice
}

// Param is a parameter or a result.
type Param struct {
	Name    string // empty or "_" if it has none
	Type    Type
	Pos     Pos
	Integer bool // its type is an integer type
	Bound   bool // bind= made it configuration

	Unresolved string // why its type is not known; empty if it is
	Unwritable string // why its type cannot be written in this package; empty if it can
}

// Blank says whether the parameter has no name to speak of.
func (p Param) Blank() bool { return p.Name == "" || p.Name == "_" }

// Instance is a //jobgen:instantiate line.
type Instance struct {
	Text   string // as written: "Sq[float64]"
	Pos    Pos
	File   string
	Output Output
	Worker string // name of the generic worker
	Args   []Type
	Do     *Method // with the type arguments in place
	Bad    string  // why it is no instance of a worker; empty if it is
	Locals []Reason
}

// Reason says what part of a worker has a property that matters, and where that part is.
type Reason struct {
	What string // "field Hook", "parameter x"
	Why  string // "is a func"
	Pos  Pos
}

// String is the reason as a sentence with its position.
func (r Reason) String() string { return fmt.Sprintf("%s %s (%s)", r.What, r.Why, r.Pos.Short()) }

// LocalText is what the runtime is told about why a worker stays in its process.
func LocalText(reasons []Reason) string {
	var b strings.Builder
	for i, r := range reasons {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(r.String())
	}
	return b.String()
}

// Output names the generated file that a worker belongs to.
type Output struct {
	Base       string // jobgen_gen.go
	Constraint string // the expression of the //go:build line, or empty
}

// Qualified is the worker's import path and name, as the runtime knows it.
func (p *Package) Qualified(w *Worker) string { return p.Path + "." + w.Name }

// Outputs are the package's generated files, sorted by name, each with its workers sorted by name.
func (p *Package) Outputs() []Output {
	seen := map[Output]bool{}
	var outs []Output
	for _, w := range p.Workers {
		if !seen[w.Output] {
			seen[w.Output] = true
			outs = append(outs, w.Output)
		}
	}
	for _, in := range p.Instances {
		if !seen[in.Output] {
			seen[in.Output] = true
			outs = append(outs, in.Output)
		}
	}
	sortBy(outs, func(a, b Output) bool { return a.Base < b.Base })
	return outs
}

// Worker finds a worker by name, or returns nil.
func (p *Package) Worker(name string) *Worker {
	for _, w := range p.Workers {
		if w.Name == name {
			return w
		}
	}
	return nil
}
