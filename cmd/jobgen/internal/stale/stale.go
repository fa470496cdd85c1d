package stale

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Reason is one cause of staleness. Worker and Method, or Error, say what it is about, where it is about one; the
// caller knows their positions.
type Reason struct {
	Worker, Method string
	Error          string
	Text           string
}

// Same says whether a file on disk is as good as the one that would replace it. Line ends and the lines of
// the positions in texts may differ: the first are git's business, and the second would make every
// file stale above whose workers somebody adds a comment.
func Same(old, want []byte) bool {
	if bytes.Equal(old, want) {
		return true
	}
	return bytes.Equal(normal(old), normal(want))
}

var position = regexp.MustCompile(`(\.go):\d+:\d+\b`)

func normal(src []byte) []byte {
	return position.ReplaceAll(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")), []byte("$1"))
}

// Reasons explains why old has to be replaced by want. It always finds at least one reason.
func Reasons(old, want []byte) []Reason {
	if len(bytes.TrimSpace(old)) == 0 {
		return []Reason{{Text: "it is empty"}}
	}
	for line := range bytes.Lines(old) {
		if bytes.HasPrefix(line, []byte("<<<<<<< ")) || bytes.HasPrefix(line, []byte(">>>>>>> ")) {
			return []Reason{{Text: "it holds the marks of a merge conflict"}}
		}
	}
	was, err := read(old)
	if err != nil {
		return []Reason{{Text: fmt.Sprintf("it cannot be parsed (%s)", firstLine(err.Error()))}}
	}
	is, _ := read(want)
	if was.abi != "" && is.abi != "" && was.abi != is.abi {
		return []Reason{{Text: fmt.Sprintf("it was written for another contract with the runtime (%s, now %s)", was.abi, is.abi)}}
	}
	var rs []Reason
	all := maps.Clone(was.workers)
	maps.Copy(all, is.workers)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		rs = append(rs, compare(name, was.workers[name], is.workers[name])...)
	}
	rs = append(rs, compareErrors(was.errors, is.errors)...)
	for _, name := range slices.Sorted(maps.Keys(is.forms)) {
		if form := was.forms[name]; len(rs) == 0 && form != "" && form != is.forms[name] {
			rs = append(rs, Reason{Text: "what travels to and from an instance of a generic worker has changed"})
		}
	}
	if len(rs) == 0 {
		rs = []Reason{{Text: "it was edited by hand or written by another version of jobgen"}}
	}
	return rs
}

// compareErrors compares the error types, each with its form.
func compareErrors(was, is map[string]string) []Reason {
	var rs []Reason
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, before := was[name]
		form, now := is[name]
		switch {
		case !before:
			rs = append(rs, Reason{Error: name, Text: fmt.Sprintf("error type %s is new", name)})
		case !now:
			rs = append(rs, Reason{Text: fmt.Sprintf("error type %s is gone", name)})
		case old != form:
			rs = append(rs, Reason{Error: name, Text: fmt.Sprintf("what travels of error type %s has changed", name)})
		}
	}
	return rs
}

// News is every worker and error type of a generated file as a reason to write it.
func News(src []byte) []Reason {
	f, _ := read(src)
	var rs []Reason
	for _, name := range slices.Sorted(maps.Keys(f.workers)) {
		rs = append(rs, compare(name, nil, f.workers[name])...)
	}
	return append(rs, compareErrors(map[string]string{}, f.errors)...)
}

// Ends is every worker and error type of a generated file as a reason to remove it.
func Ends(src []byte) []Reason {
	f, _ := read(src)
	var rs []Reason
	for _, name := range slices.Sorted(maps.Keys(f.workers)) {
		rs = append(rs, compare(name, f.workers[name], nil)...)
	}
	return append(rs, compareErrors(f.errors, map[string]string{})...)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func compare(name string, was, is *worker) []Reason {
	if was == nil {
		return []Reason{{Worker: name, Text: fmt.Sprintf("worker %s is new", name)}}
	}
	if is == nil {
		return []Reason{{Text: fmt.Sprintf("worker %s is gone", name)}}
	}
	var rs []Reason
	say := func(method, format string, args ...any) {
		rs = append(rs, Reason{Worker: name, Method: method, Text: fmt.Sprintf(format, args...)})
	}
	if was.fn != is.fn {
		say("", "%s has become %s", name, kind(is.fn))
		return rs
	}
	if was.tparams != is.tparams {
		say("", "the type parameters of %s have changed", name)
	}
	for _, m := range []string{"Do", "MapJob"} {
		called := name + "." + m
		if is.fn {
			called = name
		}
		for _, text := range signatures(called, was.methods[m], is.methods[m]) {
			say(m, "%s", text)
		}
	}
	if was.setup != is.setup {
		say("Setup", "%s %s a Setup", name, gained(is.setup))
	}
	if was.close != is.close {
		say("Close", "%s %s a Close", name, gained(is.close))
	}
	if is.fn && !slices.Equal(was.bound, is.bound) {
		say("", "bind= of %s names %s now, it named %s", name, names(is.bound), names(was.bound))
	}
	if len(rs) == 0 && !slices.Equal(was.results, is.results) {
		say("Do", "the results of %s.Do are called otherwise", name)
	}
	switch a, b := normal([]byte(was.local)), normal([]byte(is.local)); {
	case bytes.Equal(a, b):
	case len(b) == 0:
		say("", "%s can leave its process now", name)
	case len(a) == 0:
		// The text has a position of its own.
		rs = append(rs, Reason{Text: fmt.Sprintf("%s can no longer leave its process: %s", name, is.local)})
	default:
		rs = append(rs, Reason{Text: fmt.Sprintf("%s stays in its process for another reason: %s", name, is.local)})
	}
	switch {
	case len(rs) > 0 || was.form == is.form:
	case was.form == "":
		say("", "%s has a codec now", name)
	case is.form != "":
		say("", "what travels to and from %s has changed", name)
	}
	for _, in := range slices.Sorted(maps.Keys(is.registered)) {
		if !was.registered[in] {
			say("", "the instance %s is new", in)
		}
	}
	for _, in := range slices.Sorted(maps.Keys(was.registered)) {
		if !is.registered[in] {
			say("", "the instance %s is gone", in)
		}
	}
	return rs
}

func kind(fn bool) string {
	if fn {
		return "a function"
	}
	return "a type"
}

func gained(has bool) string {
	if has {
		return "has gained"
	}
	return "has lost"
}

func names(ps []param) string {
	if len(ps) == 0 {
		return "nothing"
	}
	var out []string
	for _, p := range ps {
		out = append(out, p.name)
	}
	return strings.Join(out, ", ")
}
