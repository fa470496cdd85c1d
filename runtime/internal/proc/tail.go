package proc

import (
	"bytes"
	"strings"
	"sync"
)

// Tail keeps the end of what a process writes, and the first lines that say why it dies: a goroutine
// dump can be so long that the end alone would not have them.
type Tail struct {
	mu      sync.Mutex
	line    []byte // the last, not yet ended
	lines   [][]byte
	bytes   int
	reasons []string
	each    func(line []byte)
}

const (
	tailBytes   = 4 << 10
	maxReasons  = 4
	longestLine = 16 << 10
)

// NewTail calls each for every line, without its end, as it comes; nil means nobody.
func NewTail(each func(line []byte)) *Tail { return &Tail{each: each} }

// Write takes what the process has written.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if t.line = append(t.line, p...); len(t.line) > longestLine {
				t.endLine()
			}
			break
		}
		t.line = append(t.line, p[:i]...)
		t.endLine()
		p = p[i+1:]
	}
	return n, nil
}

func (t *Tail) endLine() {
	line := bytes.TrimSuffix(t.line, []byte("\r"))
	if t.each != nil {
		t.each(line)
	}
	if len(t.reasons) < maxReasons && isReason(line) {
		t.reasons = append(t.reasons, string(line))
	}
	kept := bytes.Clone(line[max(0, len(line)-tailBytes):])
	t.lines = append(t.lines, kept)
	for t.bytes += len(kept) + 1; t.bytes > tailBytes && len(t.lines) > 1; t.lines = t.lines[1:] {
		t.bytes -= len(t.lines[0]) + 1
	}
	t.line = t.line[:0]
}

func isReason(line []byte) bool {
	for _, start := range []string{"fatal error: ", "panic: ", "SIG", "runtime: ", "unexpected fault", "[signal "} {
		if bytes.HasPrefix(line, []byte(start)) {
			return true
		}
	}
	return false
}

// End ends a line that has no end, when nothing will be written any more.
func (t *Tail) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.line) > 0 {
		t.endLine()
	}
}

// String returns the reasons and then the end, without saying anything twice.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := string(bytes.Join(append(t.lines[:len(t.lines):len(t.lines)], t.line), []byte("\n")))
	end = strings.TrimRight(end, "\n")
	var b strings.Builder
	for _, r := range t.reasons {
		if !strings.Contains(end, r) {
			b.WriteString(r + "\n")
		}
	}
	if b.Len() > 0 {
		b.WriteString("…\n")
	}
	return b.String() + end
}
