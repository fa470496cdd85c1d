package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// describeError prints what becomes of an error type.
func describeError(w io.Writer, p *model.Package, e *model.ErrorType) {
	fmt.Fprintf(w, "%s.%s (error, %s)\n", p.Path, e.Name, position(e.Pos))
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "\t%-12s%s\n", label, fmt.Sprintf(format, args...))
	}
	if e.Sound() {
		is := "*" + e.Name
		if e.Value {
			is = e.Name + " or " + is
		}
		line("found as", "%s", is)
		line("travels", "%s", contentOf(p, e))
	}
	if len(e.Locals) > 0 {
		line("arrives", "as a *jobgen.RemoteError, because of")
		for _, r := range e.Locals {
			line("", "%s", r)
		}
	}
}

// contentOf says what of an error type travels.
func contentOf(p *model.Package, e *model.ErrorType) string {
	if e.Codec != nil && e.Codec.Kind == model.CodecMethods {
		return "by its methods " + e.Codec.Append + " and " + e.Codec.Read
	}
	var parts []string
	for _, fl := range e.Fields {
		if fl.Name == "_" {
			continue
		}
		parts = append(parts, fl.Name+" "+fl.Type.Text(p.Path, nil))
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	switch {
	case len(e.Holds) > 0:
		return "with each of its errors"
	case e.Codec == nil:
		return "without content"
	}
	return "with its value"
}
