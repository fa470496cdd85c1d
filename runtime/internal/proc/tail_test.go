package proc

import (
	"fmt"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	var seen []string
	tail := NewTail(func(line []byte) { seen = append(seen, string(line)) })
	fmt.Fprint(tail, "one\ntw", "o\r\nfatal error: all goroutines are asleep\n")
	for i := range 1000 {
		fmt.Fprintf(tail, "goroutine %d [running]:\n", i)
	}
	fmt.Fprint(tail, "the end")
	tail.End()
	text := tail.String()
	if len(seen) != 1004 || seen[1] != "two" || seen[1003] != "the end" {
		t.Errorf("%d lines were seen, the last %q", len(seen), seen[len(seen)-1])
	}
	if !strings.HasPrefix(text, "fatal error: all goroutines are asleep\n…\n") || !strings.HasSuffix(text, "\nthe end") || len(text) > 5000 {
		t.Errorf("%d bytes are kept: %.100s … %s", len(text), text, text[len(text)-20:])
	}
	short := NewTail(nil)
	fmt.Fprint(short, "panic: boom\n\nmore\n")
	if got := short.String(); got != "panic: boom\n\nmore" {
		t.Errorf("%q", got)
	}
	long := NewTail(nil)
	fmt.Fprint(long, strings.Repeat("x", 100_000))
	long.End()
	if got := len(long.String()); got > 2*tailBytes {
		t.Errorf("%d bytes of a line without an end", got)
	}
}
