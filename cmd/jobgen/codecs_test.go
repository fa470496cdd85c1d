package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jobgen/jobgen/internal/testseed"
)

// roundTrips is the program that the test of random types runs, beside the code that was generated for them.
//
//go:embed testdata/roundtrips.go
var roundTrips string

// TestRandomTypes generates codecs for random types and compiles them. A program fills values of the types,
// encodes and decodes them, compares what comes out by reflection, and gives the decoder messages that were tampered
// with. All types are parameters of one worker, because compiling each worker's runner would take
// most of the time.
func TestRandomTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program")
	}
	t.Parallel()
	t.Run("all", func(t *testing.T) { testRandomTypes(t, false) })
	t.Run("plain", func(t *testing.T) { testRandomTypes(t, true) })
}

// testRandomTypes does so with all types, or with plain ones only, whose inputs can be encoded together.
func testRandomTypes(t *testing.T, plain bool) {
	t.Parallel()
	seed := testseed.Seed()
	g := &typeWriter{Rand: rand.New(rand.NewPCG(seed, 0)), plain: plain}
	other := "package other\n\n" + g.declare("O", 8, true)
	local := g.declare("T", 40, false)
	var params, bound []string
	for i, n := range g.names {
		params = append(params, fmt.Sprintf("p%d %s", i, n))
		if i%9 == 4 {
			bound = append(bound, fmt.Sprintf("p%d", i))
		}
	}
	for i := range 20 {
		params = append(params, fmt.Sprintf("q%d %s", i, g.typ(3, false)))
	}
	dir := module(t, map[string]string{
		"other/other.go": other,
		"a.go": "package main\n\nimport (\n\t\"math/big\"\n\t\"net/netip\"\n\t\"time\"\n\n\t\"example.com/m/other\"\n)\n\n" +
			"type Pair[K comparable, V any] struct {\n\tk K\n\tV V\n}\n\n" +
			"var _ = []any{big.Int{}, netip.Addr{}, time.Time{}}\n\nvar _ other.O0\n\n" + local +
			"//jobgen:worker remote bind=" + strings.Join(bound, ",") + "\nfunc All(" + strings.Join(params, ", ") + ") {}\n",
		"main.go": roundTrips,
	})
	generate(t, dir, ".")
	if text, err := os.ReadFile(filepath.Join(dir, "jobgen_gen.go")); err != nil || plain && !strings.Contains(string(text), "AppendIns:") {
		t.Fatalf("with JOBGEN_TEST_SEED=%d inputs cannot be encoded together: %v\n%s\n%s", seed, err, other, local)
	}
	for _, args := range [][]string{{"vet", "."}, {"run", ".", fmt.Sprint(seed)}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s, with JOBGEN_TEST_SEED=%d: %v\n%s\n%s\n%s", strings.Join(args, " "), seed, err, out, other, local)
		}
	}
}

// typeWriter writes random types that can travel.
type typeWriter struct {
	*rand.Rand
	names      []string // of the types that were declared, as they are written
	comparable []string // those of them that are
	structs    []string // those of them that are structs of the main package
	exported   bool     // only types whose parts another package can reach
	plain      bool     // no types with methods, and none that may be without content
}

var scalars = []string{"bool", "int8", "uint8", "int", "int16", "rune", "int64", "uint", "uint16", "uint32", "uint64", "uintptr",
	"float32", "float64", "complex64", "complex128", "string"}

func (g *typeWriter) pick(from []string) string { return from[g.IntN(len(from))] }

// declare writes declarations of n types.
func (g *typeWriter) declare(prefix string, n int, exported bool) string {
	var b strings.Builder
	g.exported = exported
	for i := range n {
		name := fmt.Sprintf("%s%d", prefix, i)
		same := g.IntN(4) == 0
		is := g.declared(same)
		fmt.Fprintf(&b, "type %s %s\n\n", name, is)
		if strings.HasPrefix(is, "struct") && !exported {
			g.structs = append(g.structs, name)
		}
		g.names = append(g.names, name)
		if same {
			g.comparable = append(g.comparable, name)
		}
	}
	if exported { // from now on they are seen from outside
		for i := range g.names {
			g.names[i] = "other." + g.names[i]
		}
		for i := range g.comparable {
			g.comparable[i] = "other." + g.comparable[i]
		}
	}
	return b.String()
}

func (g *typeWriter) declared(same bool) string {
	if g.IntN(4) == 0 {
		// A type defined as another package's struct has its fields and not its methods.
		if t := g.typ(2, same); t != "netip.Addr" && t != "time.Time" {
			return t
		}
	}
	var fields []string
	if g.plain {
		fields = append(fields, "F "+g.pick(scalars))
	}
	for i := range g.IntN(7) {
		f := fmt.Sprintf("F%d", i)
		switch r := g.IntN(10); {
		case r == 0 && len(g.structs) > 0 && !same && !g.exported:
			e := g.pick(g.structs)
			base := e[strings.IndexByte(e, '.')+1:]
			if !strings.Contains(strings.Join(fields, ";")+";", base+";") && g.IntN(2) == 0 {
				fields = append(fields, e)
				continue
			}
		case r == 1:
			f = "_"
		case r < 5 && !g.exported:
			f = fmt.Sprintf("f%d", i)
		}
		fields = append(fields, f+" "+g.typ(3, same))
	}
	return "struct{ " + strings.Join(fields, "; ") + " }"
}

// typ writes a type; same says that it has to be comparable.
func (g *typeWriter) typ(depth int, same bool) string {
	if depth == 0 || g.IntN(4) == 0 {
		known := g.names
		if same {
			known = g.comparable
		}
		switch r := g.IntN(8); {
		case r < 3 && len(known) > 0:
			return g.pick(known)
		case r == 3 && g.plain:
		case r == 3 && !g.exported && same:
			return "netip.Addr"
		case r == 3 && !g.exported:
			return g.pick([]string{"netip.Addr", "time.Time", "*big.Int"})
		}
		return g.pick(scalars)
	}
	switch r := g.IntN(9); {
	case r == 0 && !g.exported:
		return "Pair[" + g.typ(depth-1, true) + ", " + g.typ(depth-1, same) + "]"
	case r == 1:
		n := g.IntN(4)
		if g.plain {
			n++
		}
		return fmt.Sprintf("[%d]%s", n, g.typ(depth-1, same))
	case r == 2:
		return "struct{ A " + g.typ(depth-1, same) + "; B " + g.typ(depth-1, same) + " }"
	case same:
		return g.pick(scalars)
	case r == 3:
		return "map[" + g.typ(depth-1, true) + "]" + g.typ(depth-1, false)
	case r == 4:
		return "*" + g.typ(depth-1, false)
	}
	return "[]" + g.typ(depth-1, false)
}
