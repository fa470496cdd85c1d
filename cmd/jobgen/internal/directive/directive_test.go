package directive

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		comment string
		ok      bool
		verb    string
		words   string
		spaced  bool
		bad     bool
	}{
		{"//jobgen:worker", true, "worker", "", false, false},
		{"//jobgen:worker remote bind=a,b", true, "worker", "remote bind=a,b", false, false},
		{"//jobgen:worker\tremote ", true, "worker", "remote", false, false},
		{"//jobgen:wroker", true, "wroker", "", false, false},
		{"//jobgen:", true, "", "", false, true},
		{"//jobgen: worker", true, "", "worker", false, true},
		{"//Jobgen:worker", true, "worker", "", false, true},
		{"// jobgen:worker", true, "worker", "", true, false},
		{"// jobgen:worker remote", true, "worker", "remote", true, false},
		{"// jobgen:worker marks a worker", false, "", "", false, false},
		{"// jobgen:instantiate Sq[int]", true, "instantiate", "Sq[int]", true, false},
		{"// jobgen is a tool", false, "", "", false, false},
		{"/*jobgen:worker*/", false, "", "", false, false},
		{"//go:generate jobgen", false, "", "", false, false},
		{"//jobgen:instantiate Pair[string, int]", true, "instantiate", "Pair[string, int]", false, false},
	}
	for _, tt := range tests {
		l, ok := Parse(tt.comment)
		if ok != tt.ok {
			t.Errorf("Parse(%q) = _, %v", tt.comment, ok)
			continue
		}
		if !ok {
			continue
		}
		if l.Verb != tt.verb || l.Rest != tt.words || l.Spaced != tt.spaced || (l.Bad != "") != tt.bad {
			t.Errorf("Parse(%q) = %+v", tt.comment, l)
		}
	}
}

func TestSuggest(t *testing.T) {
	for word, want := range map[string]string{
		"wroker": "worker", "workers": "worker", "Worker": "worker", "instanciate": "instantiate",
		"bidn": "bind", "xyz": "", "": "", "remtoe": "remote",
	} {
		if got := Suggest(word, []string{"worker", "instantiate", "remote", "bind"}); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

// FuzzParse checks that no comment makes Parse fail, that offsets stay inside the comment and point at
// the words they belong to, and that a line that starts with the prefix is never ignored.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"//jobgen:worker remote bind=axis,n", "// jobgen:worker", "//jobgen:instantiate Sq[float64]",
		"//jobgen:", "//JOBGEN:worker", "//jobgen:worker =x", "//jobgen:worker\u00a0remote", "//jobgen:\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, comment string) {
		l, ok := Parse(comment)
		if !ok {
			if strings.HasPrefix(comment, "//jobgen:") {
				t.Fatalf("Parse(%q) ignores a directive", comment)
			}
			return
		}
		if !strings.HasPrefix(comment[l.RestOffset:], l.Rest) {
			t.Fatalf("Parse(%q): the rest %q is not at %d", comment, l.Rest, l.RestOffset)
		}
		for _, w := range l.Words {
			if !strings.HasPrefix(comment[w.Offset:], w.Key) {
				t.Fatalf("Parse(%q): the word %q is not at %d", comment, w.Key, w.Offset)
			}
		}
		Suggest(l.Verb, Verbs)
	})
}
