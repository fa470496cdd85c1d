package cluster

import (
	"context"
	"encoding/json"
	"log/slog"
)

// encode is for values of this package, which can be encoded.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// lowestLevel is the lowest level of which a logger wants records, nil if none.
func lowestLevel(l *slog.Logger) *int {
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
