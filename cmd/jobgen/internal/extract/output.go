package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// outputFor names the generated file of the workers declared in a source file. Files that are built
// under the same condition share one; the condition is carried over as it stands, so that the output
// is built exactly when its workers are.
func outputFor(filename, expr string, external bool) model.Output {
	base := strings.TrimSuffix(filepath.Base(filename), ".go")
	test := isTestFile(filename)
	if test {
		base = strings.TrimSuffix(base, "_test")
	}
	name := "jobgen_gen"
	if external {
		name += "_external"
	}
	if expr != "" {
		name += "_" + slug(expr)
	}
	name += platformSuffix(base)
	if test {
		name += "_test"
	}
	return model.Output{Base: name + ".go", Constraint: expr}
}

// slug makes a constraint part of a file name. It ends in _tags, so that the last word is never taken
// for an operating system. A constraint that words alone do not tell from others gets a hash.
func slug(expr string) string {
	var b strings.Builder
	for _, r := range strings.NewReplacer("&&", " and ", "||", " or ", "!", " not ", "(", " ", ")", " ").Replace(expr) {
		switch {
		case r == ' ':
			if s := b.String(); s != "" && s[len(s)-1] != '_' {
				b.WriteByte('_')
			}
		case r == '.' || r == '_':
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	s := strings.Trim(b.String(), "_")
	if strings.ContainsAny(expr, "()") || len(s) > 60 || misleading(expr) {
		sum := sha256.Sum256([]byte(expr))
		s = s[:min(len(s), 50)] + "_" + hex.EncodeToString(sum[:3])
	}
	return s + "_tags"
}

// misleading says whether the words of a constraint read like those of another one, because of what its tags are called:
// a_and_b like a && b, external_a like a in the tests of another package, _a like a.
func misleading(expr string) bool {
	for _, tag := range strings.FieldsFunc(expr, func(r rune) bool { return strings.ContainsRune("&|!() ", r) }) {
		if strings.Trim(tag, "_") != tag || strings.HasPrefix(tag, "external_") {
			return true
		}
		for word := range strings.SplitSeq(tag, "_") {
			if word == "and" || word == "or" || word == "not" {
				return true
			}
		}
	}
	return false
}

// platformSuffix is the part of a file's base name that go build reads as GOOS and GOARCH.
func platformSuffix(base string) string {
	_, rest, ok := strings.Cut(base, "_")
	if !ok {
		return ""
	}
	parts := strings.Split(rest, "_")
	n := len(parts)
	if n >= 2 && knownOS[parts[n-2]] && knownArch[parts[n-1]] {
		return "_" + parts[n-2] + "_" + parts[n-1]
	}
	if knownOS[parts[n-1]] || knownArch[parts[n-1]] {
		return "_" + parts[n-1]
	}
	return ""
}

// The lists of go/build, past, present and future names alike, because go build goes by these too.
var (
	knownOS = set("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 " +
		"solaris wasip1 windows zos")
	knownArch = set("386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 " +
		"mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
