package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// table is what a section prints.
type table struct {
	title string
	notes []string // under the table
	head  []string
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table in columns, or in Markdown.
func (t *table) print(w io.Writer, markdown bool) {
	if len(t.rows) == 0 {
		return
	}
	width := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	sep, edge, heading := "  ", "", ""
	if markdown {
		sep, edge, heading = " | ", "|", "### "
	}
	line := func(cells []string) {
		padded := make([]string, len(width))
		for i := range width {
			cell := ""
			if i < len(cells) {
				cell = cells[i]
			}
			gap := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				padded[i] = cell + gap
			} else {
				padded[i] = gap + cell
			}
		}
		text := strings.Join(padded, sep)
		if markdown {
			text = edge + " " + text + " " + edge
		}
		fmt.Fprintln(w, strings.TrimRight(text, " "))
	}
	fmt.Fprintf(w, "%s%s\n\n", heading, t.title)
	line(t.head)
	rule := make([]string, len(width))
	for i, n := range width {
		rule[i] = strings.Repeat("-", n)
		if markdown && i > 0 {
			rule[i] = strings.Repeat("-", max(n-1, 1)) + ":"
		}
	}
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
	fmt.Fprintln(w)
	for _, n := range t.notes {
		fmt.Fprintf(w, "%s\n", n)
	}
	if len(t.notes) > 0 {
		fmt.Fprintln(w)
	}
}

// span writes nanoseconds with three digits and a unit.
func span(ns float64) string {
	switch {
	case ns <= 0:
		return "–"
	case ns < 999.5:
		return digits(ns) + " ns"
	case ns < 999.5e3:
		return digits(ns/1e3) + " µs"
	case ns < 999.5e6:
		return digits(ns/1e6) + " ms"
	}
	return digits(ns/1e9) + " s"
}

// digits writes x with about three significant digits.
func digits(x float64) string {
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// count writes allocations per job: what is spread over many jobs is as good as none.
func count(x float64) string {
	if x < 0.005 {
		return "0"
	}
	return digits(x)
}

// between writes a median and what lies between the quartiles.
func between(mid, low, high float64) string {
	return fmt.Sprintf("%s (%s–%s)", digits(mid), digits(low), digits(high))
}

func sizeOf(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// short writes a round duration.
func short(d time.Duration) string {
	text := span(float64(d))
	number, unit, _ := strings.Cut(text, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number + " " + unit
}
