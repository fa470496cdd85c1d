package npy

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a piece of a Python literal. Its kind is one of the constants below, or the character
// itself for brackets and the like.
type token struct {
	kind byte
	text string // what a string means; the digits of a number; a name
	at   int    // where it begins in the source
}

const (
	tokEnd    = 0
	tokString = 's'
	tokNumber = 'n'
	tokName   = 'w'
)

// String names the token in the words of an error.
func (t token) String() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokString:
		return "the string " + show(t.text)
	case tokNumber:
		return "the number " + shorten(t.text)
	case tokName:
		return shorten(t.text)
	}
	return "'" + string(rune(t.kind)) + "'"
}

// lexer cuts the part of Python's syntax that literals need into tokens.
type lexer struct {
	src    []byte
	latin1 bool // else UTF-8
	pos    int
}

func (l *lexer) next() (token, error) {
	l.pos += len(l.src[l.pos:]) - len(bytes.TrimLeft(l.src[l.pos:], " \t\r\n\f"))
	t := token{at: l.pos}
	if l.pos == len(l.src) {
		return t, nil
	}
	switch c := l.src[l.pos]; {
	case strings.IndexByte("{}[]():,-", c) >= 0:
		l.pos++
		t.kind = c
		return t, nil
	case c == '\'' || c == '"':
		return l.quoted(t)
	case isDigit(c):
		return l.number(t)
	case isLetter(c):
		t.kind, t.text = tokName, l.while(func(c byte) bool { return isLetter(c) || isDigit(c) })
		// Python 2 wrote u'...' for what is '...' now.
		if strings.EqualFold(t.text, "u") && l.pos < len(l.src) && (l.src[l.pos] == '\'' || l.src[l.pos] == '"') {
			return l.quoted(t)
		}
		return t, nil
	default:
		return t, fmt.Errorf("unexpected %q", l.src[l.pos:l.pos+1])
	}
}

// while takes the bytes for which f holds.
func (l *lexer) while(f func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.src) && f(l.src[l.pos]) {
		l.pos++
	}
	return string(l.src[start:l.pos])
}

// number reads a decimal integer. Python 2 added an L to long ones.
func (l *lexer) number(t token) (token, error) {
	t.kind, t.text = tokNumber, l.while(isDigit)
	if l.pos < len(l.src) && (l.src[l.pos] == 'L' || l.src[l.pos] == 'l') {
		l.pos++
	}
	rest := l.while(func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' })
	// A leading zero made a number octal in Python 2, and is an error in Python 3.
	if rest != "" || len(t.text) > 1 && strings.Trim(t.text, "0") != "" && t.text[0] == '0' {
		return t, fmt.Errorf("%s is not a decimal integer", shorten(t.text+rest))
	}
	return t, nil
}

var errQuote = errors.New("a string has no closing quote")

// quoted reads a string, from its quote on.
func (l *lexer) quoted(t token) (token, error) {
	quote := l.src[l.pos]
	l.pos++
	var text strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch {
		case c == quote:
			t.kind, t.text = tokString, text.String()
			return t, nil
		case c == '\n' || c == '\r':
			return t, errQuote
		case c == '\\':
			if err := l.escape(&text); err != nil {
				return t, err
			}
		case l.latin1:
			text.WriteRune(rune(c))
		default:
			text.WriteByte(c)
		}
	}
	return t, errQuote
}

// escape reads what follows a backslash.
func (l *lexer) escape(text *strings.Builder) error {
	if l.pos == len(l.src) {
		return errQuote
	}
	c := l.src[l.pos]
	if i := strings.IndexByte(`\'"abfnrtv`, c); i >= 0 {
		l.pos++
		text.WriteByte("\\'\"\a\b\f\n\r\t\v"[i])
		return nil
	}
	digits, base, start := 0, 16, l.pos+1
	switch {
	case c == '\n': // a line that goes on
		l.pos++
		return nil
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case '0' <= c && c <= '7':
		for digits, base, start = 1, 8, l.pos; digits < 3 && start+digits < len(l.src); digits++ {
			if d := l.src[start+digits]; d < '0' || d > '7' {
				break
			}
		}
	default:
		return fmt.Errorf("a string has the unknown escape %s", show("\\"+string(rune(c))))
	}
	l.pos = min(start+digits, len(l.src))
	r, err := strconv.ParseUint(string(l.src[start:l.pos]), base, 32)
	if err != nil || l.pos != start+digits || !utf8.ValidRune(rune(r)) {
		return errors.New("an escape in a string stands for no character")
	}
	text.WriteRune(rune(r))
	return nil
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// repr prints a string as Python's repr does.
func repr(s string) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
	return b.String()
}

// show quotes a string from a file for an error: shortened, as the file may say anything.
func show(s string) string { return repr(shorten(s)) }

func shorten(s string) string {
	const most = 40
	if n := 0; len(s) > most {
		for i := range s {
			if n++; n > most {
				return s[:i] + "..."
			}
		}
	}
	return s
}
