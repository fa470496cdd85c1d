package progress

import (
	"io"
	"sync"
	"testing"

	"github.com/schollz/progressbar/v3"
)

func TestAddTo(t *testing.T) {
	silent := progressbar.OptionSetWriter(io.Discard)
	AddTo(nil, 1)
	for _, c := range []struct{ total, n, calls, want int }{
		{100, 10, 4, 40},
		{100, 10, 10, 100},
		{100, 30, 4, 100}, // overshoots
		{100, 30, 40, 100},
		{100, 0, 4, 0},
		{100, -5, 4, 0},
		{0, 5, 4, 0},
		{-7, 5, 4, 0}, // not known, for progressbar, is -1 only
	} {
		bar := progressbar.NewOptions(c.total, silent)
		var all sync.WaitGroup
		for range c.calls {
			all.Go(func() { AddTo(bar, c.n) })
		}
		all.Wait()
		if got := int(bar.State().CurrentNum); got != c.want {
			t.Errorf("%+v: the bar is at %d", c, got)
		}
		if got, want := bar.IsFinished(), c.want == 100; got != want {
			t.Errorf("%+v: finished: %v", c, got)
		}
	}

	stream := progressbar.NewOptions(-1, silent, progressbar.OptionSetSpinnerChangeInterval(0))
	for range 1000 {
		AddTo(stream, 7)
	}
	if got := stream.State().CurrentBytes; got != 7000 {
		t.Errorf("a bar without a maximum is at %v", got)
	}
}

// A finished bar would erase the line that is now somebody else's.
func TestAddToFinished(t *testing.T) {
	writes := &pipe{works: 1 << 30}
	bar := progressbar.NewOptions(10, progressbar.OptionSetWriter(writes),
		progressbar.OptionUseANSICodes(true), progressbar.OptionClearOnFinish(), progressbar.OptionShowCount())
	AddTo(bar, 5)
	AddTo(bar, 5)
	before := writes.calls
	AddTo(bar, 10)
	if writes.calls != before {
		t.Error("a finished bar was drawn again")
	}
}
