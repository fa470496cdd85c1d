package progress

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

const ellipsis = "…"

// cleanLabel keeps of a label what can stand in one line: characters that move the cursor, change
// colours or the direction of writing are removed, white space becomes one blank.
func cleanLabel(label string) string {
	const joiner = '\u200d' // holds an emoji of several parts together; harmless
	label = strings.Join(strings.Fields(label), " ")
	return strings.Map(func(r rune) rune {
		if r != joiner && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(label, "\ufffd"))
}

// columnsOf is how many columns of a terminal text fills.
func columnsOf(text string) int {
	return uniseg.StringWidth(text)
}

// cut shortens text to at most columns, with an ellipsis in place of what is missing.
func cut(text string, columns int) string {
	if columnsOf(text) <= columns {
		return text
	}
	kept, room := 0, columns-columnsOf(ellipsis)
	for rest, state := text, -1; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width > room {
			break
		}
		kept += len(cluster)
		room -= width
	}
	return text[:kept] + ellipsis
}
