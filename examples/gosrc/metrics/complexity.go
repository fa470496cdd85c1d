package metrics

import (
	"go/ast"
	"go/token"
	"iter"
)

// complexity is the cyclomatic complexity of a function (T. J. McCabe, A Complexity Measure, IEEE
// Transactions on Software Engineering, 1976): the number of linearly independent paths through it.
// It is counted as gocyclo does: 1, and 1 more for each
//
//   - if, for and range,
//   - case of a switch or select, but not default,
//   - && and ||.
//
// Function literals belong to the function in which they are written.
func complexity(fn ast.Node) int {
	n := 1
	ast.Inspect(fn, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

// function is a function declaration, or a function literal that stands in no other function.
type function struct {
	name string
	node ast.Node
}

// functions yields the functions of a file in the order in which they are written.
func functions(file *ast.File) iter.Seq[function] {
	return func(yield func(function) bool) {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if !yield(function{declName(decl), decl}) {
					return
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && !literals(v, yield) {
						return
					}
				}
			}
		}
	}
}

// literals yields the function literals in the values of package-level variables, each with the
// name of its variable. It reports false when yield did.
func literals(spec *ast.ValueSpec, yield func(function) bool) bool {
	more := true
	for i, value := range spec.Values {
		name := spec.Names[min(i, len(spec.Names)-1)].Name
		ast.Inspect(value, func(node ast.Node) bool {
			lit, ok := node.(*ast.FuncLit)
			if ok && more {
				more = yield(function{name, lit})
			}
			return more && !ok
		})
	}
	return more
}

// declName names a function as "Walk", a method as "File.Name" or "(*File).Close".
func declName(decl *ast.FuncDecl) string {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return decl.Name.Name
	}
	return receiver(decl.Recv.List[0].Type) + "." + decl.Name.Name
}

// receiver names a receiver's type without its type parameters.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return "(*" + receiver(t.X) + ")"
	case *ast.ParenExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	}
	return "?" // the parser allows any expression here, the compiler does not
}
