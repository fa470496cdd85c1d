package extract

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/directive"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// found is a directive with the declaration it stands on.
type found struct {
	line   directive.Line
	slash  token.Pos
	claim  model.Claim
	spec   *ast.TypeSpec // of OnType and OnAlias
	fn     *ast.FuncDecl // of OnFunc and OnMethod
	args   []model.Arg
	second bool // an earlier line of the same verb stands on the same declaration
}

// directives finds the directives of a file and records them in the model.
func (x *extractor) directives(f *ast.File) []found {
	claims := x.claims(f)
	var all []found
	type mark struct {
		verb string
		on   ast.Node
	}
	marked := map[mark]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			l, ok := directive.Parse(strings.TrimRight(c.Text, "\r"))
			if !ok {
				continue
			}
			d := found{line: l, slash: c.Slash, claim: model.Loose}
			if cl, ok := claims[c]; ok {
				d.claim, d.spec, d.fn = cl.claim, cl.spec, cl.fn
			} else {
				d.claim = x.around(f, c)
			}
			if l.Spaced && d.claim != model.OnType && d.claim != model.OnFunc {
				continue // prose about a directive
			}
			for _, w := range l.Words {
				d.args = append(d.args, model.Arg{
					Key: w.Key, Value: w.Value, HasValue: w.HasValue,
					Pos: x.pos(c.Slash + token.Pos(w.Offset)),
				})
			}
			var on ast.Node
			if d.spec != nil {
				on = d.spec
			} else if d.fn != nil {
				on = d.fn
			}
			if on != nil && l.Bad == "" && !l.Spaced {
				m := mark{l.Verb, on}
				d.second = marked[m]
				marked[m] = true
			}
			x.pkg.Directives = append(x.pkg.Directives, model.Directive{
				Verb: l.Verb, Args: d.args, Pos: x.pos(c.Slash), Spaced: l.Spaced, Bad: l.Bad,
				Claim: d.claim, Second: d.second,
			})
			all = append(all, d)
		}
	}
	return all
}

type claim struct {
	claim model.Claim
	spec  *ast.TypeSpec
	fn    *ast.FuncDecl
}

// claims says for each comment in a doc comment what it documents.
func (x *extractor) claims(f *ast.File) map[*ast.Comment]claim {
	claims := map[*ast.Comment]claim{}
	give := func(doc *ast.CommentGroup, c claim) {
		if doc != nil {
			for _, line := range doc.List {
				claims[line] = c
			}
		}
	}
	ofType := func(s *ast.TypeSpec) claim {
		if s.Assign.IsValid() {
			return claim{claim: model.OnAlias, spec: s}
		}
		return claim{claim: model.OnType, spec: s}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				give(d.Doc, claim{claim: model.OnMethod, fn: d})
			} else {
				give(d.Doc, claim{claim: model.OnFunc, fn: d})
			}
		case *ast.GenDecl:
			if d.Tok != token.TYPE {
				give(d.Doc, claim{claim: model.OnValue})
				continue
			}
			if len(d.Specs) == 1 {
				give(d.Doc, ofType(d.Specs[0].(*ast.TypeSpec)))
			} else {
				give(d.Doc, claim{claim: model.OnGroup})
			}
			for _, s := range d.Specs {
				s := s.(*ast.TypeSpec)
				give(s.Doc, ofType(s))
				give(s.Comment, claim{claim: model.AfterDecl})
			}
		}
	}
	return claims
}

// around says where a comment stands that documents nothing.
func (x *extractor) around(f *ast.File, c *ast.Comment) model.Claim {
	line := x.in.Fset.Position(c.Slash).Line
	for _, d := range f.Decls {
		if d.Pos() <= c.Pos() && c.Pos() < d.End() {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Body != nil && c.Pos() > fd.Body.Lbrace {
				return model.InFunc
			}
			return model.InStructure
		}
		if d.End() <= c.Pos() && x.in.Fset.Position(d.End()).Line == line {
			return model.AfterDecl
		}
	}
	return model.Loose
}
