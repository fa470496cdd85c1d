package load

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// errors reports what keeps a package from being generated for. Type errors do not: the user's code may
// well use what is about to be written.
func (r *Result) errors(p *Package) {
	broken := r.syntaxErrors(p)
	for _, e := range p.loaded.Errors {
		if e.Kind == packages.TypeError || p.inOurs(e) || strings.HasPrefix(e.Msg, "# ") {
			continue
		}
		if broken || e.Kind == packages.ParseError {
			continue // said better by syntaxErrors
		}
		if len(p.files) > 0 && !fatal(e.Msg) {
			continue // an import that is missing shows at the types that need it
		}
		r.report(e, model.CannotLoad)
		p.Broken = true
	}
	p.Broken = p.Broken || broken
}

// fatal says whether what the go command reports concerns the package itself.
func fatal(msg string) bool {
	return strings.Contains(msg, "import cycle") || strings.HasPrefix(msg, "found packages ") || strings.Contains(msg, "build constraints exclude all Go files")
}

// inOurs says whether an error is about our own output, which is about to be replaced.
func (p *Package) inOurs(e packages.Error) bool {
	file, _, _ := splitPos(e.Pos)
	if file != "" && IsOurName(file) {
		return true
	}
	return strings.Contains(e.Msg, "jobgen_gen")
}

// syntaxErrors parses the user's files once more where there is any doubt, because the go command
// stops at the first error of a package.
func (r *Result) syntaxErrors(p *Package) bool {
	doubt := false
	for _, e := range p.loaded.Errors {
		doubt = doubt || e.Kind != packages.TypeError
	}
	if !doubt {
		return false
	}
	found := false
	names := append(append([]string{}, p.loaded.GoFiles...), p.loaded.OtherFiles...)
	for _, e := range p.loaded.Errors {
		if file, _, _ := splitPos(e.Pos); file != "" {
			if !filepath.IsAbs(file) {
				file = filepath.Join(p.Dir, filepath.Base(file))
			}
			names = append(names, file)
		}
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] || !strings.HasSuffix(name, ".go") {
			continue
		}
		seen[name] = true
		src, err := os.ReadFile(name)
		if err != nil || IsOurs(name, src) {
			continue
		}
		_, err = parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if list, _ := err.(scanner.ErrorList); len(list) > 0 {
			found = true // what follows the first error of a file is mostly its echo
			r.Diagnostics = append(r.Diagnostics, model.Diagnostic{Code: model.Syntax, Message: list[0].Msg,
				Pos: model.Pos{File: list[0].Pos.Filename, Line: list[0].Pos.Line, Col: list[0].Pos.Column}})
		}
	}
	return found
}

func (r *Result) report(e packages.Error, code model.Code) {
	d := model.Diagnostic{Code: code, Message: firstLine(e.Msg)}
	if file, line, col := splitPos(e.Pos); file != "" && line > 0 {
		d.Pos = model.Pos{File: file, Line: line, Col: col}
	}
	r.Diagnostics = append(r.Diagnostics, d)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// splitPos reads file:line:col, of which the last two may be missing.
func splitPos(pos string) (file string, line, col int) {
	if pos == "" || pos == "-" {
		return "", 0, 0
	}
	rest := pos
	var nums []int
	for len(nums) < 2 {
		i := strings.LastIndexByte(rest, ':')
		if i < 0 {
			break
		}
		n, err := strconv.Atoi(rest[i+1:])
		if err != nil {
			break
		}
		nums = append([]int{n}, nums...)
		rest = rest[:i]
	}
	switch len(nums) {
	case 2:
		return rest, nums[0], nums[1]
	case 1:
		return rest, nums[0], 0
	}
	return rest, 0, 0
}
