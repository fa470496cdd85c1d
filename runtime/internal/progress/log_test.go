package progress

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"
)

// A log of several goroutines, with a bar and nested bars: every line that a person sees is a whole
// record or a whole bar, and no record is missing.
func TestLogIsNotGarbled(t *testing.T) {
	const loggers, records = 8, 200
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 100)
		screen.current = regexp.MustCompile(`^(outer|nested\d) +\d+% \[[=>.]+\] +\d+/\d+(, [\w.]+/s)?(, \d+ \w+( \d+ s)? left)?$`)
		display := screen.display()
		log := slog.New(display.Handler(slog.NewTextHandler(screen, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
					return slog.Attr{}
				}
				return a
			},
		})))
		outer := display.Start("outer", loggers*records)
		var all sync.WaitGroup
		for g := range loggers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(g)))
				nested := display.Start(fmt.Sprint("nested", g), records)
				for i := range records {
					log.Info(strings.Repeat("x", random.IntN(60)), "id", fmt.Sprint(g, "-", i))
					nested.Add(1, 0)
					outer.Add(1, 0)
					time.Sleep(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
				}
				nested.Done(nil)
			})
		}
		all.Wait()
		outer.Done(nil)

		record := regexp.MustCompile(`^msg=(x*|"") id="?(\d+ - \d+|\d+-\d+)"?$`)
		ids := map[string]bool{}
		left := screen.see()
		for _, line := range left[:len(left)-2] {
			match := record.FindStringSubmatch(line)
			if match == nil {
				t.Errorf("a person reads %q", line)
				continue
			}
			ids[match[2]] = true
		}
		if len(ids) != loggers*records {
			t.Errorf("%d of %d records are on the screen", len(ids), loggers*records)
		}
		if last := left[len(left)-2]; !strings.HasPrefix(last, "outer 100%") || left[len(left)-1] != "" {
			t.Errorf("the end is %q", left[len(left)-2:])
		}
		if len(screen.history) < 100 {
			t.Errorf("the bar was seen in only %d states", len(screen.history))
		}
	})
}

func TestAroundRedraws(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 60)
		display := screen.display()
		say := func(text string) { display.Around(func() { io.WriteString(screen, text+"\n") }) }

		say("before")
		screen.want("before", "")
		bar := display.Start("run", -1)
		say("at once") // too soon after the first drawing: the next tick redraws
		screen.want("before", "at once", "")
		pass(redrawEvery)
		screen.want("before", "at once", "run 0, 0 ms")
		pass(redrawAfterLog)
		say("later")
		screen.want("before", "at once", "later", "run 0, 0 ms")
		bar.Done(nil)
		say("after")
		screen.want("before", "at once", "later", "run 0, took 120 ms", "after", "")
	})
}

// Whatever f does, it does not stop the display: a run inside, another Around, a panic, a Goexit.
func TestAroundHoldsNoLock(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		screen := newTerminal(t, 60)
		display := screen.display()
		outer := display.Start("outer", 3)
		display.Around(func() {
			inner := display.Start("inner", 3)
			display.Around(func() { pass(10 * hold) })
			if got := screen.see(); got[0] != "" {
				t.Errorf("%q is drawn while f may write", got)
			}
			inner.Done(nil)
		})
		func() {
			defer func() { recover() }()
			display.Around(func() { panic("f") })
		}()
		go display.Around(runtime.Goexit)
		synctest.Wait()
		pass(redrawEvery)
		if got := screen.see(); !strings.HasPrefix(got[0], "outer") {
			t.Errorf("the display is stuck: %q", got)
		}
		outer.Done(nil)
	})
}

func TestHandlerKeepsTheRules(t *testing.T) {
	var out bytes.Buffer
	display := NewDisplay(io.Discard, true, nil)
	err := slogtest.TestHandler(display.Handler(slog.NewJSONHandler(&out, nil)), func() (records []map[string]any) {
		for line := range bytes.Lines(out.Bytes()) {
			var record map[string]any
			if err := json.Unmarshal(line, &record); err != nil {
				t.Fatal(err)
			}
			records = append(records, record)
		}
		return records
	})
	if err != nil {
		t.Error(err)
	}
	h := display.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if h.Enabled(context.Background(), slog.LevelInfo) || !h.Enabled(context.Background(), slog.LevelWarn) {
		t.Error("Enabled is not the inner handler's")
	}
}

func TestHandlerWrapsOnce(t *testing.T) {
	terminal, file := NewDisplay(io.Discard, true, nil), NewDisplay(io.Discard, false, nil)
	plain := slog.NewTextHandler(io.Discard, nil)
	if file.Handler(plain) != slog.Handler(plain) {
		t.Error("a log without a terminal needs no wrapper")
	}
	wrapped := terminal.Handler(plain).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)})
	if terminal.Handler(wrapped) != wrapped {
		t.Error("wrapped twice")
	}
}
