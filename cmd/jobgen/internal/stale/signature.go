package stale

import (
	"fmt"
	"slices"
	"strings"
)

// signatures says how a function's signature has changed.
func signatures(called string, was, is *signature) []string {
	switch {
	case was == nil && is == nil:
		return nil
	case was == nil:
		return []string{called + " is new"}
	case is == nil:
		return []string{called + " is gone"}
	}
	var out []string
	hadCtx, hasCtx := context(was.params), context(is.params)
	before, after := was.params, is.params
	if hadCtx {
		before = before[1:]
	}
	if hasCtx {
		after = after[1:]
	}
	if hadCtx != hasCtx {
		out = append(out, fmt.Sprintf("%s has %s its ctx", called, map[bool]string{true: "gained", false: "lost"}[hasCtx]))
	}
	out = append(out, changes(called, before, after)...)
	if !slices.Equal(was.results, is.results) {
		out = append(out, fmt.Sprintf("%s returns %s now, it returned %s", called, tuple(is.results), tuple(was.results)))
	}
	return out
}

func context(ps []param) bool { return len(ps) > 0 && strings.HasSuffix(ps[0].typ, ".Context") }

func tuple(types []string) string {
	switch len(types) {
	case 0:
		return "nothing"
	case 1:
		return "`" + types[0] + "`"
	}
	return "`(" + strings.Join(types, ", ") + ")`"
}

// changes aligns two parameter lists by their types and names what was added, removed or replaced.
func changes(called string, was, is []param) []string {
	kept := common(was, is)
	var out []string
	i, j := 0, 0
	for _, k := range append(kept, [2]int{len(was), len(is)}) {
		for i < k[0] && j < k[1] {
			if now, then := is[j], was[i]; named(now) && now.name == then.name || !named(now) {
				out = append(out, fmt.Sprintf("a parameter of %s is `%s` now, it was `%s`", called, now, then))
			} else {
				out = append(out, fmt.Sprintf("%s lost parameter `%s`", called, then), fmt.Sprintf("%s gained parameter `%s`", called, now))
			}
			i, j = i+1, j+1
		}
		for ; i < k[0]; i++ {
			out = append(out, fmt.Sprintf("%s lost parameter `%s`", called, was[i]))
		}
		for ; j < k[1]; j++ {
			out = append(out, fmt.Sprintf("%s gained parameter `%s`", called, is[j]))
		}
		if i < len(was) && j < len(is) && named(was[i]) && named(is[j]) && was[i].name != is[j].name {
			out = append(out, fmt.Sprintf("parameter %s of %s is called %s now", was[i].name, called, is[j].name))
		}
		i, j = k[0]+1, k[1]+1
	}
	return out
}

func named(p param) bool { return p.name != "" && p.name != "_" }

// common finds the longest common subsequence by type, as pairs of indexes.
func common(a, b []param) [][2]int {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i].typ == b[j].typ {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].typ == b[j].typ:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case n[i+1][j] >= n[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
