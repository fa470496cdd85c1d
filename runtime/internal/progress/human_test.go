package progress

import (
	"math"
	"testing"
	"time"
)

func TestHumanRate(t *testing.T) {
	for perSecond, want := range map[float64]string{
		0: "", -1: "", 350: "350/s", 1234: "1.2k/s", 3.4e6: "3.4M/s", 12.0 / 60: "12/min",
		1: "1/s", 0.996: "1/s", 0.99: "59/min", 3.44: "3.4/s", 9.96: "10/s", 99.7: "100/s", 999.4: "999/s",
		999.6: "1k/s", 12345: "12k/s", 999_600: "1M/s", 2e9: "2G/s", 3e13: "30T/s",
		1.0 / 60: "1/min", 1.0 / 3600: "1/h", 0.1 / 3600: "0.1/h",
	} {
		if got := humanRate(perSecond); got != want {
			t.Errorf("%v: %q, want %q", perSecond, got, want)
		}
	}
}

func TestHumanDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 ms", 0: "0 ms", 350 * time.Millisecond: "350 ms", 999600 * time.Microsecond: "1 s",
		3400 * time.Millisecond: "3.4 s", 9960 * time.Millisecond: "10 s", 11 * time.Second: "11 s",
		59600 * time.Millisecond: "1 min 0 s", 200 * time.Second: "3 min 20 s",
		125 * time.Minute: "2 h 5 min", 76 * time.Hour: "3 d 4 h",
	} {
		if got := humanDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestHumanLeft(t *testing.T) {
	for _, c := range []struct {
		jobs      int64
		perSecond float64
		want      string
	}{
		{0, 5, ""}, {5, 0, ""}, {-3, 5, ""}, {1, 1000, "1 s left"}, {3850, 350, "11 s left"},
		{7, 5, "2 s left"}, {math.MaxInt64, 1e-9, ""},
	} {
		if got := humanLeft(c.jobs, c.perSecond); got != c.want {
			t.Errorf("%d at %v/s: %q, want %q", c.jobs, c.perSecond, got, c.want)
		}
	}
}

// The rate follows a change within a fraction of the run, and a long pause lowers it.
func TestPace(t *testing.T) {
	now := time.Now()
	var p pace
	p.reset(now)
	if got := p.perSecond(now, 0); got != 0 {
		t.Errorf("at once: %v", got)
	}
	count := int64(0)
	advance := func(seconds int, each int64) (speed float64) {
		for range seconds {
			now = now.Add(time.Second)
			count += each
			speed = p.perSecond(now, count)
		}
		return speed
	}
	if got := advance(60, 10); got != 10 {
		t.Errorf("ten a second: %v", got)
	}
	if got := advance(60, 100); got != 100 {
		t.Errorf("a minute after the change: %v", got)
	}
	if got := advance(20, 0); got >= 100 {
		t.Errorf("in a pause: %v", got)
	}
}

// Four workers, jobs of one hour, which all end in the same minute.
func TestPaceOfBursts(t *testing.T) {
	now := time.Now()
	var p pace
	p.reset(now)
	now = now.Add(time.Hour)
	for i := range int64(4) {
		now = now.Add(15 * time.Second)
		if got := p.perSecond(now, i+1) * 3600; got > 4 {
			t.Errorf("after %d jobs: %v an hour", i+1, got)
		}
	}
}
