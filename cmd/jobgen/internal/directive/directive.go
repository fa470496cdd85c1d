// Package directive reads the comment lines that start with //jobgen:.
package directive

import (
	"slices"
	"strings"
)

// Verbs are the directives that exist, Keys the words that each takes.
var (
	Verbs = []string{"worker", "error", "instantiate"}
	Keys  = map[string][]string{"worker": {"remote", "bind"}}
)

// Line is a directive as written. Offsets count bytes from the comment's first slash.
type Line struct {
	Verb       string
	Rest       string // what follows the verb, without the space around it
	RestOffset int
	Words      []Word // Rest, split at spaces
	Spaced     bool   // written as "// jobgen:…", which Go does not take for a directive
	Bad        string // why it cannot be read; empty if it can
}

// Word is one word of Rest.
type Word struct {
	Key, Value string
	HasValue   bool // it is written key=value
	Offset     int
}

const prefix = "//jobgen:"

// Parse reads one comment. It answers false for a comment that is none of jobgen's business. A line
// that only resembles a directive is reported as Spaced or Bad, so that a typo is never ignored.
func Parse(comment string) (Line, bool) {
	if strings.HasPrefix(comment, prefix) {
		return parse(comment, len(prefix)), true
	}
	if len(comment) >= len(prefix) && strings.EqualFold(comment[:len(prefix)], prefix) {
		l := parse(comment, len(prefix))
		l.Bad = "directives are written in lower case, " + prefix + strings.ToLower(l.Verb)
		return l, true
	}
	if !strings.HasPrefix(comment, "//") {
		return Line{}, false
	}
	text := comment[2:]
	trimmed := strings.TrimLeft(text, " ") // a tab makes it an example in a doc comment
	if len(trimmed) == len(text) || !strings.HasPrefix(trimmed, "jobgen:") {
		return Line{}, false
	}
	l := parse(comment, len(comment)-len(trimmed)+len("jobgen:"))
	l.Spaced = true
	return l, plausible(l)
}

// plausible says whether a line with a space is a directive that went wrong rather than prose about one.
func plausible(l Line) bool {
	if !slices.Contains(Verbs, l.Verb) {
		return false
	}
	if l.Verb == "instantiate" {
		return strings.HasSuffix(l.Rest, "]")
	}
	for _, w := range l.Words {
		if !slices.Contains(Keys[l.Verb], w.Key) {
			return false
		}
	}
	return true
}

func parse(comment string, at int) Line {
	var l Line
	rest := comment[at:]
	end := strings.IndexFunc(rest, isSpace)
	if end < 0 {
		end = len(rest)
	}
	l.Verb = rest[:end]
	if l.Verb == "" {
		l.Bad = "no directive follows " + prefix
	}
	args := rest[end:]
	l.Rest = strings.TrimFunc(args, isSpace)
	l.RestOffset = at + end + len(args) - len(strings.TrimLeftFunc(args, isSpace))
	for off, word := range words(l.Rest) {
		key, value, has := strings.Cut(word, "=")
		l.Words = append(l.Words, Word{Key: key, Value: value, HasValue: has, Offset: l.RestOffset + off})
	}
	return l
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

// words yields the words of s with their offsets.
func words(s string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		start := -1
		for i, r := range s {
			switch {
			case !isSpace(r) && start < 0:
				start = i
			case isSpace(r) && start >= 0:
				if !yield(start, s[start:i]) {
					return
				}
				start = -1
			}
		}
		if start >= 0 {
			yield(start, s[start:])
		}
	}
}

// Suggest finds the candidate that word is a slip of the pen for, or returns "".
func Suggest(word string, candidates []string) string {
	best, bestDistance := "", 3
	for _, c := range candidates {
		d := distance(strings.ToLower(word), c)
		if d < bestDistance && d < len(c) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, drop, replace or swap to get from a to b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	x, y := []rune(a), []rune(b)
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range y {
		d[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			d[i+1][j+1] = min(d[i][j]+cost, d[i][j+1]+1, d[i+1][j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				d[i+1][j+1] = min(d[i+1][j+1], d[i-1][j-1]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}
