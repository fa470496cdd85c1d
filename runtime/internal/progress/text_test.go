package progress

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

func TestLabelIsOneHarmlessLine(t *testing.T) {
	for label, want := range map[string]string{
		"variance":                "variance",
		" two\n lines\tand more ": "two lines and more",
		"red \x1b[31m alert\a":    "red [31m alert",
		"back\b\b\rwards\u202e!":  "back wards!",
		"bad \xff byte":           "bad \ufffd byte",
		"👩\u200d🔬 lab":            "👩\u200d🔬 lab",
		"\x00":                    "",
	} {
		if got := cleanLabel(label); got != want {
			t.Errorf("%q became %q, not %q", label, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, r := range cleanLabel(rapid.String().Draw(t, "label")) {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
				t.Errorf("%q is left", r)
			}
		}
	})
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"variance", 8, "variance"},
		{"variance", 7, "varian…"},
		{"variance", 1, "…"},
		{"分散の計算", 10, "分散の計算"},
		{"分散の計算", 9, "分散の計…"},
		{"分散の計算", 8, "分散の…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"", 0, ""},
	} {
		if got := cut(c.text, c.columns); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

// A line fits, whatever it has to show and however narrow the window.
func TestLineFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.String().Draw(t, "label")
		total := rapid.IntRange(-1, 1<<50).Draw(t, "total")
		bar := NewDisplay(nil, false, nil).Start(label, total)
		defer bar.Done(nil)
		bar.display.broken = true
		done := rapid.IntRange(0, 1<<50).Draw(t, "done")
		bar.Add(done, rapid.IntRange(0, done).Draw(t, "failed"))
		now := bar.start.Add(time.Duration(rapid.Int64Range(-1, 1<<62).Draw(t, "elapsed")))
		columns := rapid.IntRange(1, 300).Draw(t, "columns")
		for _, line := range []string{bar.bar(now, columns), bar.last(now, nil, columns)} {
			if columnsOf(line) > columns {
				t.Errorf("%q has %d columns of %d", line, columnsOf(line), columns)
			}
			if strings.ContainsAny(line, "\r\n\x1b") {
				t.Errorf("%q moves the cursor", line)
			}
		}
	})
}

// The bar has one width from the first job to the last.
func TestBarDoesNotTremble(t *testing.T) {
	bar := NewDisplay(nil, false, nil).Start("steady", 1000)
	defer bar.Done(nil)
	bar.display.broken = true
	end := -1
	for i := range 1000 {
		bar.Add(1, 0)
		line := bar.bar(bar.start.Add(time.Duration(i*i)*time.Millisecond), 79)
		if at := strings.Index(line, "]"); end < 0 {
			end = at
		} else if at != end {
			t.Fatalf("the bar ends in column %d, not %d: %q", at, end, line)
		}
	}
}

func TestPercentIsRoundedDown(t *testing.T) {
	for done := range int64(1001) {
		v := view{total: 1000, done: done}
		if got, want := v.percent(), int(done/10); got != want {
			t.Errorf("%d of 1000: %d %%", done, got)
		}
		if got := gauge(v.percent(), 20); len(got) != len("  24% [====>...............]") ||
			strings.Contains(got, "100%") != (done == 1000) {
			t.Errorf("%d of 1000: %q", done, got)
		}
	}
	for percent, want := range map[int]string{
		0:   "   0% [..........]",
		9:   "   9% [..........]",
		29:  "  29% [=>........]",
		100: " 100% [==========]",
	} {
		if got := gauge(percent, 10); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
