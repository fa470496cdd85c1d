package jobgen

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
)

// LowestLevel returns the lowest level of which a logger wants records, for the [RecordHandler] of those who send them;
// nil if it wants none.
func LowestLevel(l *slog.Logger) *int {
	if l == nil {
		return nil
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if l.Enabled(context.Background(), level) {
			n := int(level)
			return &n
		}
	}
	return nil
}

// recordSender makes a handler whose records are sent to the parent.
func recordSender(out *proc.Writer, level slog.Level) slog.Handler {
	return RecordHandler(recordWriter{out}, level)
}

// RecordHandler returns a handler that writes records as JSON for [ForwardRecord], each with one call of Write: a
// backend's worker process sends them to where the run is.
func RecordHandler(w io.Writer, level slog.Level) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindDuration {
				return slog.String(a.Key, a.Value.Duration().String())
			}
			return a
		},
	})
}

type recordWriter struct{ out *proc.Writer }

func (w recordWriter) Write(p []byte) (int, error) { return len(p), w.out.Write(frameLog, p) }

// ForwardRecord gives a record that a [RecordHandler] has written to a logger, its attributes in their order. A nil
// logger discards it.
func ForwardRecord(l *slog.Logger, text []byte) {
	if l == nil {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	attrs, ok := readObject(dec)
	if !ok {
		l.Warn("a record of a worker cannot be read", "record", string(text))
		return
	}
	r := slog.Record{Time: time.Now(), Level: slog.LevelInfo}
	for i, a := range attrs {
		switch {
		case a.Key == slog.TimeKey && i == 0:
			if t, err := time.Parse(time.RFC3339Nano, a.Value.String()); err == nil {
				r.Time = t
			}
		case a.Key == slog.LevelKey && i == 1:
			_ = r.Level.UnmarshalText([]byte(a.Value.String()))
		case a.Key == slog.MessageKey && i == 2:
			r.Message = a.Value.String()
		default:
			r.AddAttrs(a)
		}
	}
	if h := l.Handler(); h.Enabled(context.Background(), r.Level) {
		_ = h.Handle(context.Background(), r)
	}
}

// readObject reads a JSON object as attributes.
func readObject(dec *json.Decoder) ([]slog.Attr, bool) {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	return readMembers(dec)
}

func readMembers(dec *json.Decoder) (attrs []slog.Attr, ok bool) {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, false
		}
		name, _ := key.(string)
		v, ok := readValue(dec)
		if !ok {
			return nil, false
		}
		attrs = append(attrs, slog.Attr{Key: name, Value: v})
	}
	_, err := dec.Token()
	return attrs, err == nil
}

func readValue(dec *json.Decoder) (slog.Value, bool) {
	t, err := dec.Token()
	if err != nil {
		return slog.Value{}, false
	}
	switch t := t.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return slog.Int64Value(n), true
		}
		f, err := t.Float64()
		return slog.Float64Value(f), err == nil
	case json.Delim:
		if t == '{' {
			attrs, ok := readMembers(dec)
			return slog.GroupValue(attrs...), ok
		}
		var list []any
		for dec.More() {
			v, ok := readValue(dec)
			if !ok {
				return slog.Value{}, false
			}
			list = append(list, v.Any())
		}
		_, err := dec.Token()
		return slog.AnyValue(list), err == nil
	}
	return slog.AnyValue(t), true
}
