package jobgen

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

func TestDescribe(t *testing.T) {
	type point struct {
		X, Y float64
		Tag  string
	}
	type node struct{ next *node }
	loop := &node{}
	loop.next = loop
	for want, in := range map[string]any{
		`p.F(7)`:                    7,
		`p.F("a\nb")`:               "a\nb",
		`p.F(nil)`:                  nil,
		`p.F([1 2 3])`:              []int{1, 2, 3},
		`p.F([0 0 0 … of 1000000])`: make([]float64, 1_000_000),
		`p.F({X:1 Y:2.5 Tag:"t"})`:  point{1, 2.5, "t"},
		`p.F(&{X:1 Y:2.5 Tag:"t"})`: &point{1, 2.5, "t"},
		`p.F(map[string]int of 2)`:  map[string]int{"a": 1, "b": 2},
		`p.F(func())`:               func() {},
		`p.F(&{next:&{next:…}})`:    loop,
		`p.F((1+2i))`:               1 + 2i,
		`p.F(true)`:                 true,
		`p.F(2026-01-02T03:04:05Z)`: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		`p.F(&nil)`:                 new(*int),
		`p.F("` + strings.Repeat("x", 64) + `"… (70 bytes))`: strings.Repeat("x", 70),
	} {
		if got := describe("example.com/a/p.F", in); got != want {
			t.Errorf("describe(%T) is %s, want %s", in, got, want)
		}
	}
	wide := make([][]string, 3)
	for i := range wide {
		wide[i] = []string{strings.Repeat("é", 200), strings.Repeat("b", 200), strings.Repeat("c", 200)}
	}
	if got := describe("p.F", wide); len(got) > 300 {
		t.Errorf("a description of %d bytes", len(got))
	}
}

func TestPanicSite(t *testing.T) {
	stack := func(f func()) (s []byte) {
		defer func() { recover(); s = debug.Stack() }()
		f()
		return nil
	}
	for name, f := range map[string]func(){
		"panic":       func() { panic("x") },
		"nil":         func() { var p *int; *p = 1 },
		"index":       func() { var s []int; _ = s[len(s)] },
		"panic again": func() { defer func() { recover(); panic("y") }(); panic("x") },
	} {
		if at := panicSite(stack(f)); !strings.Contains(at, "TestPanicSite") || !strings.Contains(at, "internal_test.go:") {
			t.Errorf("%s: raised at %q", name, at)
		}
	}
	for _, s := range []string{"", "panic(", "panic(\n", "goroutine 1:\npanic(1)\n\tx.go\nf(", "no such thing"} {
		panicSite([]byte(s)) // whatever it is given
	}
}

func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		in := map[int64]bool{}
		for range rapid.IntRange(0, 10).Draw(t, "n") {
			lo := rapid.Int64Range(0, 40).Draw(t, "lo")
			hi := lo + rapid.Int64Range(0, 10).Draw(t, "len")
			s = append(s, span{lo, hi})
			for i := lo; i < hi; i++ {
				in[i] = true
			}
		}
		s = s.tidy()
		for i := int64(-1); i < 60; i++ {
			if s.contain(i) != in[i] {
				t.Errorf("%v contains %d: %t", s, i, !in[i])
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i-1].hi >= s[i].lo {
				t.Errorf("%v is not tidy", s)
			}
		}
	})
}

// TestPace has chunks follow the time that jobs take.
func TestPace(t *testing.T) {
	for _, job := range []time.Duration{time.Nanosecond, time.Microsecond, time.Millisecond} {
		p := pace{most: 10_000, aim: chunkTime, mark: time.Now()}
		n := p.next()
		if n != 1 {
			t.Errorf("the first chunk holds %d jobs", n)
		}
		last := n
		for range 300 {
			p.ran += n
			p.mark = time.Now().Add(-time.Duration(p.ran-p.marked) * job)
			last, n = n, p.next()
			if n > last*growth || n > p.most || n < 1 {
				t.Errorf("a chunk of %d after one of %d", n, last)
			}
		}
		if job == time.Millisecond && n != 1 {
			t.Errorf("a chunk of %d jobs of %v", n, job)
		}
		if job == time.Microsecond && (n < 20 || n > 200) {
			t.Errorf("a chunk of %d jobs of %v, want about %v of work", n, job, chunkTime)
		}
		if job == time.Nanosecond && n < 1000 {
			t.Errorf("a chunk of %d jobs of %v", n, job)
		}
	}
}

func TestWait(t *testing.T) {
	c := config{backoff: time.Second}
	for attempt, most := range map[int]time.Duration{2: time.Second, 3: 2 * time.Second, 5: 8 * time.Second, 50: time.Minute, 1000: time.Minute} {
		for range 20 {
			if d := c.wait(attempt); d > most || d < most/2 {
				t.Errorf("waits %v before attempt %d, want %v to %v", d, attempt, most/2, most)
			}
		}
	}
	c.backoff = time.Hour // longer than the most: as it is
	if d := c.wait(9); d > time.Hour || d < time.Hour/2 {
		t.Errorf("waits %v", d)
	}
	c.backoff = 0
	if d := c.wait(3); d != 0 {
		t.Errorf("waits %v", d)
	}
}

// Two lanes that lie side by side must not write to one cache line for each job.
func TestLanesShareNoCacheLine(t *testing.T) {
	var l lane[struct{}, struct{}] // the smallest
	first, last := min(unsafe.Offsetof(l.pace), unsafe.Offsetof(l.job)), max(unsafe.Offsetof(l.phase), unsafe.Offsetof(l.times)+unsafe.Sizeof(l.times))
	if first < 64 || unsafe.Sizeof(l)-last < 64 {
		t.Errorf("of %d bytes, those from %d to %d change with each job", unsafe.Sizeof(l), first, last)
	}
}
