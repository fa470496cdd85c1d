package metrics

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// body wraps statements in a function.
func body(s string) string { return "package p\nfunc f() {\n" + s + "\n}\n" }

func TestComplexity(t *testing.T) {
	for _, test := range []struct {
		name, src string
		want      int
	}{
		{"nothing", body(""), 1},
		{"if", body("if a {}"), 2},
		{"else", body("if a {} else {}"), 2},
		{"else if", body("if a {} else if b {} else {}"), 3},
		{"for", body("for {}"), 2},
		{"range", body("for range 3 {}"), 2},
		{"and, or, not", body("x := a && b || !c"), 3},
		{"bits", body("x := a & b | c"), 1},
		{"switch", body("switch a { case 1, 2: case 3: default: }"), 3},
		{"type switch", body("switch a.(type) { case int: case error: default: }"), 3},
		{"fallthrough", body("switch { case a: fallthrough; case b: }"), 3},
		{"select", body("select { case <-a: case b <- 1: default: }"), 3},
		{"goto, defer, go", body("defer f(); go f(); l: goto l"), 1},
		{"literal in a function", body("g := func() { if a {} }; for { g() }"), 3},
		{"literal of a variable", "package p\nvar f = func() { for {} }", 2},
		{"no body", "package p\nfunc f()", 1},
	} {
		f := measured(t, test.src)
		if f.Funcs != 1 || f.Peak.Complexity != test.want || f.Peak.Name != "f" {
			t.Errorf("%s: %+v, want a function f with %d", test.name, f, test.want)
		}
	}
}

func TestFunctions(t *testing.T) {
	for _, test := range []struct {
		src  string
		want File // without Bytes and Lines
	}{
		{"package p", File{}},
		{"package p\nfunc (T) m() {}", File{Funcs: 1, Peak: Func{"T.m", 2, 1}}},
		{"package p\n\nfunc (t *T) m() {}", File{Funcs: 1, Peak: Func{"(*T).m", 3, 1}}},
		{"package p\nfunc (*T[K]) m() {}", File{Funcs: 1, Peak: Func{"(*T).m", 2, 1}}},
		{"package p\nfunc ((T[K, V])) m() {}", File{Funcs: 1, Peak: Func{"T.m", 2, 1}}},
		{"package p\nfunc a() {}\nfunc b() { for {} }\nfunc c() { if x {} }", File{Funcs: 3, Peak: Func{"b", 3, 2}}},
		{"package p\nvar t = []func(){\nfunc() {},\nfunc() { func() { for {} }() }}", File{Funcs: 2, Peak: Func{"t", 4, 2}}},
		{"package p\nvar a, b = 1, func() {}\nvar c, d = g(func() {}, func() {})", File{Funcs: 3, Peak: Func{"b", 2, 1}}},
		{"package p\n//line other.y:700\nfunc f() {}", File{Funcs: 1, Peak: Func{"f", 3, 1}}},
	} {
		got := measured(t, test.src)
		got.Bytes, got.Lines = 0, 0
		if got != test.want {
			t.Errorf("%q: %+v, want %+v", test.src, got, test.want)
		}
	}
}

func TestLines(t *testing.T) {
	for src, want := range map[string]int{
		"package p":                             1,
		"package p\n":                           1,
		"package p\n\n":                         2,
		"package p\r\n// x":                     2,
		"package p\n//line x.y:90\nvar a int\n": 3,
	} {
		if f := measured(t, src); f.Lines != want || f.Bytes != len(src) {
			t.Errorf("%q: %+v, want %d lines of %d bytes", src, f, want, len(src))
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for src, want := range map[string]string{
		"":                          "x.go:1:1: expected 'package', found 'EOF'",
		"package p\nvar x = )\n":    "x.go:2:9: expected operand, found ')'",
		"package p\n\nfunc é( {\n":  "x.go:3:10: expected ')', found '{'",
		"package p\n//line y:9\n/(": "x.go:3:1: expected declaration, found '/'",
	} {
		_, err := measure(t, src)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || err.Error() != want {
			t.Errorf("%q: %v, want %s", src, err, want)
		}
	}
	_, err := measure(t, "package p\n"+strings.Repeat("var = 1\n", 50))
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Line != 2 || syntax.More != 9 && syntax.More != 10 {
		t.Errorf("many errors: %#v", err)
	}
}

func TestAbsentFile(t *testing.T) {
	m := Metrics{Root: t.TempDir()}
	if _, err := m.Do("absent.go"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Do of an absent file: %v", err)
	}
}

// One worker measures file after file; what is left of a long one must not show up in a short one.
func TestReuse(t *testing.T) {
	m := Metrics{Root: t.TempDir()}
	for _, src := range []string{body(strings.Repeat("f()\n", 1000)), "package p", body("for {}")} {
		if err := os.WriteFile(filepath.Join(m.Root, "x.go"), []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := m.Do("x.go")
		if want := measured(t, src); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
}

func measure(t *testing.T, src string) (File, error) {
	t.Helper()
	m := Metrics{Root: t.TempDir()}
	if err := os.WriteFile(filepath.Join(m.Root, "x.go"), []byte(src), 0o666); err != nil {
		t.Fatal(err)
	}
	return m.Do("x.go")
}

func measured(t *testing.T, src string) File {
	t.Helper()
	f, err := measure(t, src)
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	return f
}
