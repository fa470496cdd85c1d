package emit

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// ident is a type as part of a function's name: SliceOfString, TimeTime.
func (f *file) ident(t model.Type) string { return ident(t, f.pkg.Path) }

func ident(t model.Type, self string) string {
	switch t.Kind {
	case model.Basic:
		return upper(t.Name)
	case model.Named:
		s := upper(t.Name)
		if t.Path != self {
			s = upper(t.PkgName) + s
		}
		return s + argumentsOf(t.Args, self)
	case model.Pointer:
		return "PointerTo" + ident(*t.Elem, self)
	case model.Slice:
		return "SliceOf" + ident(*t.Elem, self)
	case model.Array:
		return fmt.Sprintf("ArrayOf%d", t.Len) + ident(*t.Elem, self)
	case model.Map:
		return "MapOf" + ident(*t.Key, self) + "To" + ident(*t.Elem, self)
	}
	s := "Struct"
	for _, fl := range t.Fields {
		if len(s) < 40 {
			s += upper(fl.Name)
		}
	}
	return s
}

// arguments are the type arguments of an instance in a name: OfInt, OfStringAndTimeTime.
func (f *file) arguments(args []model.Type) string { return argumentsOf(args, f.pkg.Path) }

func argumentsOf(args []model.Type, self string) string {
	var parts []string
	for _, a := range args {
		parts = append(parts, ident(a, self))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Of" + strings.Join(parts, "And")
}

// outputSuffix is what of an output's name goes into those of its functions: NotOtherTags, Test.
func outputSuffix(out model.Output) string {
	rest := strings.TrimSuffix(strings.TrimPrefix(out.Base, "jobgen_gen"), ".go")
	words := strings.FieldsFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	s := ""
	for _, w := range words {
		s += upper(w)
	}
	return s
}

func upper(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[n:]
}
