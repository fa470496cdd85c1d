package progress

import (
	"io"
	"time"
)

// eraseRest is what every terminal since the VT100 understands: erase from the cursor to the end of
// the line. Overwriting with blanks would do without it, but leaves remains behind when the terminal
// and we do not agree on how wide a character is.
const eraseRest = "\x1b[K"

// draw brings the terminal's line up to date. The new text is written over the old one, and only
// then is the rest erased: a line that is blank for a moment flickers.
func (d *Display) draw(now time.Time) {
	if d.shown == nil || d.writers > 0 {
		return
	}
	text := d.shown.bar(now, d.columns())
	if text == d.line {
		return
	}
	d.write("\r" + text + eraseRest)
	d.line, d.drawn = text, now
}

// clear makes the terminal's line empty and moves the cursor to its start.
func (d *Display) clear() {
	if d.line != "" {
		d.write("\r" + eraseRest)
		d.line = ""
	}
}

// leave writes a line that stays, in the place of the one that is drawn now.
func (d *Display) leave(text string) {
	if d.line != "" {
		text = "\r" + text + eraseRest
		d.line = ""
	}
	d.write(text + "\n")
}

func (d *Display) write(text string) {
	if d.broken {
		return
	}
	if _, err := io.WriteString(d.w, text); err != nil {
		d.broken = true
	}
}

// columns is how many columns a line may fill; 0 means that there is no terminal. The last column
// stays free: a character there moves the cursor to the next line on some terminals, from where the
// bar could not be erased.
func (d *Display) columns() int {
	if !d.terminal {
		return 0
	}
	width := d.width()
	if width <= 0 {
		width = defaultWidth
	}
	return max(width-1, 1)
}
