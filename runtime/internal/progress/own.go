package progress

import "github.com/schollz/progressbar/v3"

// AddTo counts n more jobs on a bar that belongs to the caller. It can be called from several
// goroutines. A bar that is given more than its maximum is finished, where progressbar by itself
// reports an error and stays unfinished for ever; a finished or nil bar is left alone.
//
// progressbar draws in here, with the bar's lock held: at each call that changes what is shown,
// unless its owner gave it OptionThrottle.
func AddTo(bar *progressbar.ProgressBar, n int) {
	if bar == nil || n <= 0 || bar.IsFinished() {
		return
	}
	if err := bar.Add(n); err != nil && bar.GetMax64() > 0 {
		_ = bar.Finish()
	}
}
