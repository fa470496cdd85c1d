package load

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// IsOurName says whether a file is called like our output.
func IsOurName(name string) bool {
	base := filepath.Base(name)
	return strings.HasPrefix(base, "jobgen_gen") && strings.HasSuffix(base, ".go")
}

// IsOurs says whether a file is our output, judging by its name and content. The header need not be its
// first line: a merge may have left a conflict marker above. A file that is empty, or whose first
// line broke off, was ours and holds nothing of anyone's.
func IsOurs(name string, src []byte) bool {
	if !IsOurName(name) {
		return false
	}
	text := bytes.TrimSpace(src)
	if len(text) == 0 || len(text) < len(model.Header) && strings.HasPrefix(model.Header, string(text)) {
		return true
	}
	for line := range bytes.Lines(src) {
		line = bytes.TrimSpace(line)
		if string(line) == model.Header {
			return true
		}
		if bytes.HasPrefix(line, []byte("package ")) {
			return false
		}
	}
	return false
}
