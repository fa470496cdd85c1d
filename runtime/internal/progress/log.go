package progress

import (
	"context"
	"log/slog"
	"time"
)

// redrawAfterLog is how soon after a redraw a record may cause the next one. It bounds what drawing
// adds to a log of thousands of records a second, which may well go to a file.
const redrawAfterLog = 20 * time.Millisecond

// Around calls f, which may write complete lines to the place that d draws on: the bar is erased
// before and drawn again afterwards. Several calls can be at work at the same time, also one inside
// the other. No lock is held during f, so f may start runs and end them.
func (d *Display) Around(f func()) {
	if !d.terminal {
		f() // nothing to erase: a line and a record are one Write each
		return
	}
	d.mu.Lock()
	d.clear()
	d.writers++
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.writers--
		if now := time.Now(); now.Sub(d.drawn) >= redrawAfterLog {
			d.draw(now)
		} // otherwise the next tick does it
	}()
	f()
}

// Handler returns a handler that passes records on to h, with the bar out of the way.
func (d *Display) Handler(h slog.Handler) slog.Handler {
	if ours, ok := h.(*handler); !d.terminal || ok && ours.display == d {
		return h
	}
	return &handler{d, h}
}

type handler struct {
	display *Display
	next    slog.Handler
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) (err error) {
	h.display.Around(func() { err = h.next.Handle(ctx, r) })
	return err
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.display, h.next.WithAttrs(attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.display, h.next.WithGroup(name)}
}
