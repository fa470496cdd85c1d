package progress

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rivo/uniseg"
)

// fakeTerminal is what a person sees. It knows carriage return, newline and erase-to-end, and that is
// also all that a display may send. It rejects a bar that reaches the last column.
type fakeTerminal struct {
	t     *testing.T
	width int

	mu      sync.Mutex
	left    []string // lines above the cursor
	cells   []string // the cursor's line: a cell for each column, "" after a wide character
	column  int
	writes  int
	current *regexp.Regexp // what the cursor's line must be after each write, or blank
	history []string       // the cursor's line after each write, repetitions left out
}

func newTerminal(t *testing.T, width int) *fakeTerminal {
	return &fakeTerminal{t: t, width: width}
}

func (f *fakeTerminal) display() *Display {
	return NewDisplay(f, true, func() int { return f.width })
}

func (f *fakeTerminal) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	for rest, state := string(p), -1; rest != ""; {
		if after, ok := strings.CutPrefix(rest, eraseRest); ok {
			f.cells = f.cells[:min(f.column, len(f.cells))]
			rest, state = after, -1
			continue
		}
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		switch {
		case cluster == "\r":
			f.column = 0
		case cluster == "\n":
			f.left = append(f.left, f.row())
			f.cells, f.column = nil, 0
		case cluster < " ":
			f.t.Errorf("the terminal got %q", cluster)
		default:
			for i := range width {
				for f.column >= len(f.cells) {
					f.cells = append(f.cells, " ")
				}
				f.cells[f.column] = cluster
				if i > 0 {
					f.cells[f.column] = ""
				}
				f.column++
			}
		}
	}
	row := f.row()
	if len(f.cells) >= f.width {
		f.t.Errorf("%d columns are too many for %d: %q", len(f.cells), f.width, row)
	}
	if f.current != nil && row != "" && !f.current.MatchString(row) {
		f.t.Errorf("a person sees %q", row)
	}
	if row != "" && (len(f.history) == 0 || f.history[len(f.history)-1] != row) {
		f.history = append(f.history, row)
	}
	return len(p), nil
}

func (f *fakeTerminal) row() string { return strings.TrimRight(strings.Join(f.cells, ""), " ") }

// see returns all that is on the screen, the cursor's line last.
func (f *fakeTerminal) see() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(append([]string(nil), f.left...), f.row())
}

func (f *fakeTerminal) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

func (f *fakeTerminal) want(lines ...string) {
	f.t.Helper()
	if got := f.see(); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", lines) {
		f.t.Errorf("a person sees\n  %s\nand not\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}
