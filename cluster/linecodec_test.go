package cluster_test

import (
	"bytes"
	"encoding/json"
	"io"
)

// The codec of the workers that are written by hand here is JSON, each value on a line.

func appendLine[T any](b []byte, v T) ([]byte, error) {
	line, err := json.Marshal(v)
	return append(append(b, line...), '\n'), err
}

func readLine[T any](b []byte) (v T, rest []byte, err error) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return v, nil, io.ErrUnexpectedEOF
	}
	return v, b[i+1:], json.Unmarshal(b[:i], &v)
}
