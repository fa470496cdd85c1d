package npy

import (
	"fmt"
	"strconv"
)

// parser reads the literals that occur in a header. After its first error, which it keeps, it sees
// nothing but the end of the text, so that no caller has to look at err before the end.
//
// It builds the result as it goes, with no tree of the literal in between: a hostile header could
// make that many times larger than itself.
type parser struct {
	lex   lexer
	tok   token
	depth int
	err   error

	what string // what is read, for errors
	base int    // where the text begins in it
}

func newParser(text []byte, latin1 bool, what string, base int) *parser {
	p := &parser{lex: lexer{src: text, latin1: latin1}, what: what, base: base}
	p.next()
	return p
}

// next takes the current token.
func (p *parser) next() {
	if p.err != nil {
		return
	}
	t, err := p.lex.next()
	p.tok = t
	if err != nil {
		p.wrong(t.at, "%v", err)
	}
}

// fail keeps the first error.
func (p *parser) fail(err error) {
	if p.err == nil {
		p.err, p.tok = err, token{at: p.tok.at}
	}
}

// wrong is fail for text that makes no sense; it adds the place.
func (p *parser) wrong(at int, format string, args ...any) {
	p.fail(fmt.Errorf("%s makes no sense at byte %d: %s", p.what, p.base+at, fmt.Sprintf(format, args...)))
}

// accept takes the current token if it is of the kind.
func (p *parser) accept(kind byte) bool {
	if p.err != nil || p.tok.kind != kind {
		return false
	}
	p.next()
	return true
}

// expect takes a token of the kind and returns its text.
func (p *parser) expect(kind byte, name string) string {
	t := p.tok
	if !p.accept(kind) {
		p.wrong(t.at, "%v where %s should be", t, name)
	}
	return t.text
}

// list reads elements up to the closing bracket, and tells whether a comma came last, which makes
// a tuple of what is else an expression in brackets.
func (p *parser) list(closing byte, element func()) (comma bool) {
	for p.err == nil && p.tok.kind != closing {
		element()
		if comma = p.accept(','); !comma {
			break
		}
	}
	p.expect(closing, "',' or '"+string(rune(closing))+"'")
	return comma
}

// header reads the dictionary.
func (p *parser) header(h *Header) {
	seen := map[string]bool{}
	p.expect('{', "'{'")
	p.list('}', func() {
		at := p.tok.at
		key := p.expect(tokString, "a key such as 'descr'")
		p.expect(':', "':'")
		if seen[key] {
			p.wrong(at, "the key %s comes twice", show(key))
		}
		seen[key] = true
		switch key {
		case "descr":
			h.Dtype = p.dtype()
		case "fortran_order":
			t := p.tok
			h.Fortran = t.text == "True"
			if !p.accept(tokName) || t.text != "True" && t.text != "False" {
				p.wrong(t.at, "'fortran_order' is %v; it should be True or False", t)
			}
		case "shape":
			h.Shape = p.shape()
		default:
			p.wrong(at, "the key %s is unknown; 'descr', 'fortran_order' and 'shape' should be there", show(key))
		}
	})
	p.end()
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			p.fail(fmt.Errorf("the header has no key '%s'", key))
		}
	}
}

// end expects the end of the text.
func (p *parser) end() { p.expect(tokEnd, "the end") }

// shape reads the shape of the array.
func (p *parser) shape() []int {
	t := p.tok
	if t.kind != '(' {
		p.wrong(t.at, "'shape' is %v; it should be a tuple of integers such as (3,)", t)
	}
	dims, isTuple := p.dims()
	if !isTuple {
		p.wrong(t.at, "'shape' is a number in brackets; it should be a tuple of integers such as (3,)")
	}
	return dims
}

// dims reads a tuple of extents, or a number in brackets, which is no tuple.
func (p *parser) dims() (dims []int, isTuple bool) {
	dims = []int{}
	p.expect('(', "a tuple of integers")
	comma := p.list(')', func() {
		if len(dims) == maxDims {
			p.fail(fmt.Errorf("%s has a shape of more than %d axes, the most that NumPy allows", p.what, maxDims))
		}
		dims = append(dims, p.dim())
	})
	return dims, comma || len(dims) != 1
}

// dim reads one extent.
func (p *parser) dim() int {
	at := p.tok.at
	negative := p.accept('-')
	digits := p.expect(tokNumber, "an integer")
	if p.err != nil {
		return 0
	}
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil:
		p.wrong(at, "a shape has the extent %s, which is too large", shorten(digits))
	case negative && n != 0:
		p.wrong(at, "a shape has the negative extent -%d", n)
	}
	return n
}

// dtype reads a descr: a string such as '<f8', or a list of fields.
func (p *parser) dtype() Dtype {
	t := p.tok
	switch t.kind {
	case tokString:
		p.next()
		dt, err := parseScalar(t.text)
		if err != nil {
			p.fail(err)
		}
		return dt
	case '[':
		return p.structure()
	}
	p.wrong(t.at, "%v where a dtype should be: a string such as '<f8' or a list of fields", t)
	return Dtype{}
}

// structure reads a list of fields.
func (p *parser) structure() Dtype {
	p.deeper()
	dt := Dtype{kind: kindStruct, order: '|'}
	names := map[string]bool{}
	p.expect('[', "'['")
	p.list(']', func() {
		at := p.tok.at
		f := p.field()
		size, ok := multiply(f.dtype.size, f.count())
		if p.err != nil {
			return
		}
		f.offset = dt.size
		dt.size += size
		switch {
		case !ok || dt.size < 0:
			p.wrong(at, "the structure is too large")
		case f.name == "" && (f.dtype.kind == 'V' || len(f.dims) > 0):
			// Padding, as NumPy tells it: raw bytes or an array without a name.
		case names[f.name]:
			p.wrong(at, "the field %s comes twice", show(f.name))
		default:
			names[f.name] = true
			dt.fields = append(dt.fields, f)
		}
	})
	p.depth--
	return dt
}

// field reads the tuple of a field: (name, dtype) or (name, dtype, shape).
func (p *parser) field() field {
	var f field
	p.expect('(', "a field such as ('x', '<f8')")
	if p.accept('(') {
		p.expect(tokString, "the title of a field") // another name for it, of which Go has no use
		p.expect(',', "','")
		f.name = p.expect(tokString, "the name of a field")
		p.accept(',')
		p.expect(')', "')'")
	} else {
		f.name = p.expect(tokString, "the name of a field")
	}
	p.expect(',', "','")
	f.dtype, f.dims = p.subarray()
	if p.accept(',') && p.tok.kind != ')' {
		f.dims = p.subshape(f.dims)
		p.accept(',')
	}
	p.expect(')', "')'")
	return f
}

// subarray reads the dtype of a field. NumPy writes an array of arrays as a tuple in its place:
// (dtype, shape of the inner array).
func (p *parser) subarray() (Dtype, []int) {
	if p.tok.kind != '(' {
		return p.dtype(), nil
	}
	p.deeper()
	p.next()
	dt, dims := p.subarray()
	p.expect(',', "','")
	dims = p.subshape(dims)
	p.accept(',')
	p.expect(')', "')'")
	p.depth--
	return dt, dims
}

// subshape reads the shape of an array within a structure, and returns it with that of its elements,
// inner. A number n stands for (n,), and 1 for no array at all.
func (p *parser) subshape(inner []int) []int {
	var dims []int
	isTuple := false
	if p.tok.kind == '(' {
		dims, isTuple = p.dims()
	} else {
		dims = []int{p.dim()}
	}
	if !isTuple && p.err == nil && dims[0] == 1 {
		dims = nil
	}
	dims = append(dims, inner...)
	if _, err := dataSize(Dtype{size: 1}, dims); err != nil {
		p.fail(err)
	}
	if len(dims) == 0 {
		return nil
	}
	return dims
}

// deeper counts the brackets, so that no header can exhaust the stack.
func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		p.fail(fmt.Errorf("%s has structures nested more than %d deep", p.what, maxDepth))
	}
}
