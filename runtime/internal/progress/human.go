package progress

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// humanRate writes jobs per second: 350/s, 1.2k/s, 12/min, 3/h. A rate that is not known is empty.
func humanRate(perSecond float64) string {
	switch {
	case perSecond <= 0:
		return ""
	case perSecond >= 0.995:
		return humanNumber(perSecond) + "/s"
	case perSecond*60 >= 0.995:
		return humanNumber(perSecond*60) + "/min"
	default:
		return humanNumber(perSecond*3600) + "/h"
	}
}

// humanNumber writes two or three digits: 3.4, 12, 350, 1.2k, 34k, 1.2M.
func humanNumber(x float64) string {
	for _, unit := range []string{"", "k", "M", "G"} {
		switch {
		case x < 9.95:
			return trimZero(x) + unit
		case x < 999.5:
			return strconv.FormatFloat(x, 'f', 0, 64) + unit
		}
		x /= 1000
	}
	return strconv.FormatFloat(x, 'f', 0, 64) + "T"
}

// humanDuration writes at most two units: 350 ms, 3.4 s, 11 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.
func humanDuration(d time.Duration) string {
	if d < 999500*time.Microsecond {
		return fmt.Sprintf("%d ms", max(d, 0).Round(time.Millisecond).Milliseconds())
	}
	if s := d.Seconds(); s < 9.95 {
		return trimZero(s) + " s"
	}
	switch seconds := int64(d.Round(time.Second) / time.Second); {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 60*60:
		return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
	case seconds < 24*60*60:
		return fmt.Sprintf("%d h %d min", seconds/3600, seconds/60%60)
	default:
		return fmt.Sprintf("%d d %d h", seconds/86400, seconds/3600%24)
	}
}

// humanLeft says how long jobs will take at a rate, in whole seconds, rounded up; it is empty when
// there is nothing to do or no telling.
func humanLeft(jobs int64, perSecond float64) string {
	if jobs <= 0 || perSecond <= 0 {
		return ""
	}
	const century = 100 * 365 * 24 * 3600
	seconds := math.Ceil(float64(jobs) / perSecond)
	if seconds > century {
		return ""
	}
	return humanDuration(time.Duration(seconds)*time.Second) + " left"
}

func trimZero(x float64) string {
	rounded := math.Round(x*10) / 10
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
