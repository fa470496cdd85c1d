package progress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if runAsChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// Nothing in this package depends on real time: every test of time runs on synctest's clock.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestBarOnTerminal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 80)
		bar := screen.display().Start("variance", 5000)
		screen.want("variance   0% [..........................]    0/5000")
		pass(3 * time.Second)
		bar.Add(1200, 0)
		pass(redrawEvery)
		screen.want("variance  24% [=====>....................] 1200/5000, 387/s, 10 s left")
		bar.Add(0, 2)
		pass(redrawEvery)
		screen.want("variance  24% [==>.............] 1200/5000, 375/s, 11 s left, 2 failed")
		bar.Add(3800, 0)
		pass(800 * time.Millisecond)
		bar.Done(nil)
		screen.want("variance 100% [================] 5000/5000, 1.3k/s, took 4 s, 2 failed", "")
	})
}

func TestUnknownTotal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 80)
		bar := screen.display().Start("lines", -1)
		bar.Add(90, 0)
		pass(3 * time.Second)
		screen.want("lines 90, 30/s, 3 s")
		bar.Add(0, 1)
		bar.Done(errors.New("a consumer that has enough"))
		screen.want("lines 90, 30/s, stopped after 3 s, 1 failed", "")
	})
}

// Nothing is drawn more often than every 100 ms, however often jobs end, nor while nothing changes.
func TestRedrawIsThrottled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 80)
		bar := screen.display().Start("", 1_000_000)
		for range 10_000 {
			bar.Add(1, 0)
			time.Sleep(100 * time.Microsecond)
		}
		synctest.Wait()
		if n := screen.count(); n > 11 {
			t.Errorf("%d redraws in a second", n)
		}
		bar.Done(nil)

		bar = screen.display().Start("stuck", 10)
		before := screen.count()
		pass(time.Hour)
		if n := screen.count() - before; n > 0 {
			t.Errorf("%d redraws of a bar that does not change", n)
		}
		bar.Done(nil)
	})
}

func TestDoneIsFinal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 80)
		display := screen.display()
		bar := display.Start("once", 2)
		bar.Add(2, 0)
		pass(time.Second)
		timer := display.timer
		bar.Done(nil)
		seen, writes := screen.see(), screen.count()
		if timer.Stop() {
			t.Error("a timer is left behind")
		}
		bar.Done(errors.New("again"))
		bar.Add(7, 7)
		pass(time.Hour)
		screen.want(seen...)
		if n := screen.count() - writes; n > 0 || display.timer != nil {
			t.Errorf("%d writes and timer %v after the end", n, display.timer)
		}
	})
}

func TestNilBar(t *testing.T) {
	var bar *Bar
	bar.Add(1, 1)
	bar.Done(nil)
}

func TestStoppedOnlyWhenJobsAreMissing(t *testing.T) {
	for _, c := range []struct {
		total, done int
		err         error
		want        string
	}{
		{10, 10, nil, "10 of 10 (100 %), 10/s, took 1 s"},
		{10, 10, io.EOF, "10 of 10 (100 %), 10/s, took 1 s"}, // every job ran, some have failed
		{10, 4, io.EOF, "4 of 10 (40 %), 4/s, stopped after 1 s"},
		{10, 4, nil, "4 of 10 (40 %), 4/s, took 1 s"},
		{0, 0, nil, "0 of 0 (100 %), took 1 s"},
		{2, 3, nil, "3 of 2 (100 %), 3/s, took 1 s"},
		{-1, 4, io.EOF, "4 done, 4/s, stopped after 1 s"},
	} {
		inBubble(t, func(t *testing.T) {
			var out bytes.Buffer
			bar := NewDisplay(&out, false, nil).Start("", c.total)
			bar.Add(c.done, 0)
			pass(time.Second)
			bar.Done(c.err)
			if out.String() != c.want+"\n" {
				t.Errorf("got %q, want %q", out.String(), c.want)
			}
		})
	}
}

// lines keeps what was written and when.
type lines struct {
	start time.Time
	got   []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.got = append(l.got, fmt.Sprintf("%v %s", time.Since(l.start), p))
	return len(p), nil
}

func TestPlainLines(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		out := &lines{start: time.Now()}
		display := NewDisplay(out, false, nil)
		bar := display.Start("variance", 5000)
		pass(500 * time.Millisecond)
		for i := range 27 {
			nested := display.Start("nested", 10)
			pass(time.Second)
			bar.Add(100, i%13/12)
			nested.Done(nil)
		}
		bar.Done(context.Canceled)
		pass(time.Hour)
		want := []string{
			"5s variance: 400 of 5000 (8 %), 80/s, 58 s left\n",
			"15s variance: 1400 of 5000 (28 %), 93/s, 39 s left, 1 failed\n",
			"25s variance: 2400 of 5000 (48 %), 100/s, 26 s left, 1 failed\n",
			"27.5s variance: 2700 of 5000 (54 %), 98/s, stopped after 28 s, 2 failed\n",
		}
		if !slices.Equal(out.got, want) {
			t.Errorf("got %q", out.got)
		}
	})
}

// A tick may wait for the lock while its run ends and the next one starts. It is not that one's tick.
func TestLateTick(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		out := &lines{start: time.Now()}
		display := NewDisplay(out, false, nil)
		display.tick()
		bar := display.Start("next", 1)
		display.tick()
		if len(out.got) > 0 {
			t.Errorf("got %q", out.got)
		}
		bar.Done(nil)
	})
}

// Without a terminal, a run that outlives the outermost one writes lines from then on.
func TestPlainPromotion(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		out := &lines{start: time.Now()}
		display := NewDisplay(out, false, nil)
		first, second := display.Start("first", 1), display.Start("second", 1)
		pass(4 * time.Second)
		first.Done(nil)
		pass(6 * time.Second)
		second.Done(nil)
		want := []string{
			"4s first: 0 of 1 (0 %), took 4 s\n",
			"9s second: 0 of 1 (0 %)\n",
			"10s second: 0 of 1 (0 %), took 10 s\n",
		}
		if !slices.Equal(out.got, want) {
			t.Errorf("got %q", out.got)
		}
	})
}

func TestNestedBar(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 60)
		display := screen.display()
		shows := func(want string) {
			t.Helper()
			pass(redrawEvery)
			got := screen.see()
			if !strings.HasPrefix(got[len(got)-1], want) {
				t.Errorf("the line is %q, not %q", got[len(got)-1], want)
			}
		}
		outer := display.Start("outer", 10)
		shows("outer")
		inner := display.Start("inner", 20)
		shows("outer") // a short nested run would never be shown
		pass(hold)
		shows("inner")
		innermost := display.Start("innermost", 30)
		pass(hold)
		shows("innermost")
		innermost.Done(nil)
		shows("outer")
		pass(hold)
		shows("inner")
		inner.Done(nil)
		inner.Done(nil)
		shows("outer")
		outer.Done(nil)
		got := screen.see()
		if len(got) != 2 || !strings.HasPrefix(got[0], "outer") || got[1] != "" {
			t.Errorf("what remains: %q", got)
		}
	})
}

// The outermost run may end first: its line stays, the nested run goes on below and then leaves its own.
func TestNestedBarOutlivesOuter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 80)
		display := screen.display()
		outer, inner := display.Start("outer", 1), display.Start("inner", -1)
		inner.Add(5, 0)
		pass(time.Second)
		outer.Done(nil)
		screen.want("outer   0% [...................................] 0/1, took 1 s", "inner 5, 5/s, 1 s")
		pass(time.Second)
		inner.Done(nil)
		screen.want("outer   0% [...................................] 0/1, took 1 s", "inner 5, 2.5/s, took 2 s", "")
	})
}

// Eight workers run one nested run after the other. The line changes hands at most twice in each hold:
// the nested one is done, and another one takes its turn later.
func TestParallelNestedBarsAreCalm(t *testing.T) {
	for _, each := range []time.Duration{50 * time.Millisecond, 2500 * time.Millisecond, 7 * time.Second} {
		inBubble(t, func(t *testing.T) {
			screen := newTerminal(t, 80)
			screen.current = regexp.MustCompile(`^(outer|nested\d) +\d+% \[[=>.]+\] +\d+/\d+(, [\w.]+/(s|min|h))?(, [\w ]+ left|, took [\w ]+)?$`)
			display := screen.display()
			outer := display.Start("outer", 8*50)
			var workers sync.WaitGroup
			for w := range 8 {
				workers.Go(func() {
					for range 50 {
						nested := display.Start(fmt.Sprint("nested", w), 100)
						for range 100 {
							time.Sleep(each/100 + time.Duration(w)*time.Microsecond)
							nested.Add(1, 0)
						}
						nested.Done(nil)
						outer.Add(1, 0)
					}
				})
			}
			start := time.Now()
			workers.Wait()
			outer.Done(nil)
			if got := screen.see(); len(got) != 2 || !strings.HasPrefix(got[0], "outer 100%") {
				t.Errorf("what remains: %q", got)
			}
			changes, nested := 0, 0
			for i, row := range screen.history {
				if strings.HasPrefix(row, "nested") {
					nested++
				}
				if i > 0 && row[:7] != screen.history[i-1][:7] {
					changes++
				}
			}
			if most := 2 * int(time.Since(start)/hold); changes > most+1 {
				t.Errorf("runs of %v: the line changed hands %d times, at most %d are calm", each, changes, most)
			}
			if shown := nested > 0; shown != (each > hold) {
				t.Errorf("runs of %v: shown: %v", each, shown)
			}
		})
	}
}

// pipe fails from the n-th write on.
type pipe struct{ calls, works int }

func (p *pipe) Write(b []byte) (int, error) {
	p.calls++
	if p.calls > p.works {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestFailingWriter(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		inBubble(t, func(t *testing.T) {
			out := &pipe{works: 1}
			display := NewDisplay(out, terminal, nil)
			for range 2 {
				bar := display.Start("run", 100)
				for range 100 {
					bar.Add(1, 0)
					pass(time.Second)
				}
				display.Around(func() {})
				bar.Done(nil)
			}
			if out.calls != 2 {
				t.Errorf("terminal %v: %d writes, the second of which failed", terminal, out.calls)
			}
		})
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	bar := NewDisplay(io.Discard, true, nil).Start("", 1)
	defer bar.Done(nil)
	if n := testing.AllocsPerRun(100, func() { bar.Add(10, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	bar := NewDisplay(io.Discard, true, nil).Start("benchmark", 1<<40)
	defer bar.Done(nil)
	b.ReportAllocs()
	for b.Loop() {
		bar.Add(10, 0)
	}
}

func BenchmarkAddParallel(b *testing.B) {
	bar := NewDisplay(io.Discard, true, nil).Start("benchmark", 1<<40)
	defer bar.Done(nil)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			bar.Add(10, 0)
		}
	})
}

// BenchmarkRedraw is the price of one redraw, of which there are ten in a second.
func BenchmarkRedraw(b *testing.B) {
	bar := NewDisplay(io.Discard, true, nil).Start("benchmark", 1<<40)
	defer bar.Done(nil)
	bar.Add(1<<39, 3)
	now := time.Now()
	for b.Loop() {
		bar.bar(now, 79)
	}
}
