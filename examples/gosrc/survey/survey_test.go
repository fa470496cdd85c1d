package survey

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestGoSource(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("GOROOT", filepath.FromSlash("/some/go"))
	if got, err := GoSource(t.Context()); err != nil || got != filepath.FromSlash("/some/go/src") {
		t.Errorf("without a go command: %q, %v", got, err)
	}
	t.Setenv("GOROOT", "")
	if got, err := GoSource(t.Context()); err == nil || !strings.Contains(err.Error(), "no Go installation found") {
		t.Errorf("without anything: %q, %v", got, err)
	}
}

func TestText(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 1234567: "1,234,567"} {
		if got := group(n); got != want {
			t.Errorf("group(%d) = %q, want %q", n, got, want)
		}
	}
	var b strings.Builder
	printWrapped(&b, "  ", strings.Repeat("word ", 20))
	if got, want := b.String(), "  "+strings.TrimSpace(strings.Repeat("word ", 15))+"\n  "+strings.TrimSpace(strings.Repeat("word ", 5))+"\n"; got != want {
		t.Errorf("printWrapped: %q, want %q", got, want)
	}
}
