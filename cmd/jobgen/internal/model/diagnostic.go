package model

import "fmt"

// Diagnostic is one finding, with what to do about it.
type Diagnostic struct {
	Code    Code
	Pos     Pos // not valid where there is no position, as for a package that does not exist
	Message string
	Remedy  string // empty: the code's own
}

// Text is the message with its remedy and code.
func (d Diagnostic) Text() string {
	remedy := d.Remedy
	if remedy == "" {
		remedy = Codes[d.Code].Remedy
	}
	if remedy != "" {
		return fmt.Sprintf("%s: %s [%s]", d.Message, remedy, d.Code)
	}
	return fmt.Sprintf("%s [%s]", d.Message, d.Code)
}

// SortDiagnostics orders diagnostics by position and drops those that say the same twice.
func SortDiagnostics(ds []Diagnostic) []Diagnostic {
	sortBy(ds, func(a, b Diagnostic) bool {
		if a.Pos.File != b.Pos.File || a.Pos.Line != b.Pos.Line || a.Pos.Col != b.Pos.Col {
			return a.Pos.Less(b.Pos)
		}
		if a.Code != b.Code {
			return a.Code < b.Code
		}
		return a.Message < b.Message
	})
	var out []Diagnostic
	for i, d := range ds {
		if i > 0 {
			p := ds[i-1]
			if d.Code == p.Code && d.Message == p.Message && d.Pos.File == p.Pos.File &&
				d.Pos.Line == p.Pos.Line && d.Pos.Col == p.Pos.Col {
				continue
			}
		}
		out = append(out, d)
	}
	return out
}
