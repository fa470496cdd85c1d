package model

import (
	"fmt"
	"sort"
	"strings"
)

// Kind is what a Type is.
type Kind int

const (
	Invalid   Kind = iota
	Basic          // Name: a predeclared type
	Named          // Path, PkgName, Name, Args: a declared type or an alias
	Parameter      // Index: one of the worker's type parameters
	Pointer        // Elem
	Slice          // Elem
	Array          // Elem, Len
	Map            // Key, Elem
	Chan           // Elem, Dir
	Func           // Params, Results, Variadic
	Struct         // Fields
	Interface      // Methods, Embeds
	Union          // Embeds
)

// Dir is the direction of a channel.
type Dir int

const (
	Both Dir = iota
	SendOnly
	ReceiveOnly
)

// Type is a type as it has to be written in the output: aliases by their names, not what they stand for.
type Type struct {
	Kind     Kind
	Name     string
	Path     string // import path of the package that declares it
	PkgName  string // that package's name
	Args     []Type
	Index    int
	Elem     *Type
	Key      *Type
	Len      int64
	Dir      Dir
	Fields   []Field
	Params   []Type
	Results  []Type
	Variadic bool
	Methods  []Signature
	Embeds   []Term
}

// Field is a field of a struct type.
type Field struct {
	Name     string
	Type     Type
	Tag      string
	Embedded bool
}

// Signature is one method of an interface.
type Signature struct {
	Name string
	Type Type
}

// Term is one element of a union, or of an interface's list.
type Term struct {
	Tilde bool
	Type  Type
}

// Walk calls f for t and for every type inside it.
func (t Type) Walk(f func(Type)) {
	f(t)
	for _, list := range [][]Type{t.Args, t.Params, t.Results} {
		for _, u := range list {
			u.Walk(f)
		}
	}
	for _, u := range []*Type{t.Elem, t.Key} {
		if u != nil {
			u.Walk(f)
		}
	}
	for _, fl := range t.Fields {
		fl.Type.Walk(f)
	}
	for _, m := range t.Methods {
		m.Type.Walk(f)
	}
	for _, e := range t.Embeds {
		e.Type.Walk(f)
	}
}

// Text writes the type for a reader: packages by their names, those of package self without.
func (t Type) Text(self string, params []TypeParam) string {
	w := typeWriter{self, params}
	return w.text(t)
}

type typeWriter struct {
	self   string
	params []TypeParam
}

func (w typeWriter) text(t Type) string {
	switch t.Kind {
	case Basic:
		return t.Name
	case Named:
		s := t.Name
		if t.Path != w.self && t.PkgName != "" {
			s = t.PkgName + "." + s
		}
		if len(t.Args) > 0 {
			s += "[" + w.list(t.Args, false) + "]"
		}
		return s
	case Parameter:
		if t.Index < len(w.params) {
			return w.params[t.Index].Name
		}
		return fmt.Sprintf("T%d", t.Index)
	case Pointer:
		return "*" + w.text(*t.Elem)
	case Slice:
		return "[]" + w.text(*t.Elem)
	case Array:
		return fmt.Sprintf("[%d]%s", t.Len, w.text(*t.Elem))
	case Map:
		return "map[" + w.text(*t.Key) + "]" + w.text(*t.Elem)
	case Chan:
		return [...]string{"chan ", "chan<- ", "<-chan "}[t.Dir] + w.text(*t.Elem)
	case Func:
		return "func" + w.signature(t)
	case Struct:
		var parts []string
		for _, f := range t.Fields {
			if f.Embedded {
				parts = append(parts, w.text(f.Type))
			} else {
				parts = append(parts, f.Name+" "+w.text(f.Type))
			}
		}
		return "struct{" + strings.Join(parts, "; ") + "}"
	case Interface:
		var parts []string
		for _, m := range t.Methods {
			parts = append(parts, m.Name+w.signature(m.Type))
		}
		for _, e := range t.Embeds {
			parts = append(parts, w.term(e))
		}
		return "interface{" + strings.Join(parts, "; ") + "}"
	case Union:
		var parts []string
		for _, e := range t.Embeds {
			parts = append(parts, w.term(e))
		}
		return strings.Join(parts, " | ")
	}
	return "?"
}

func (w typeWriter) term(e Term) string {
	if e.Tilde {
		return "~" + w.text(e.Type)
	}
	return w.text(e.Type)
}

func (w typeWriter) list(ts []Type, variadic bool) string {
	var parts []string
	for i, t := range ts {
		if variadic && i == len(ts)-1 {
			parts = append(parts, "..."+w.text(*t.Elem))
		} else {
			parts = append(parts, w.text(t))
		}
	}
	return strings.Join(parts, ", ")
}

func (w typeWriter) signature(t Type) string {
	s := "(" + w.list(t.Params, t.Variadic) + ")"
	switch len(t.Results) {
	case 0:
	case 1:
		s += " " + w.text(t.Results[0])
	default:
		s += " (" + w.list(t.Results, false) + ")"
	}
	return s
}

func sortBy[T any](s []T, less func(a, b T) bool) {
	sort.SliceStable(s, func(i, j int) bool { return less(s[i], s[j]) })
}
