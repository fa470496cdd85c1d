package extract

import (
	"fmt"
	"go/types"
	"hash/fnv"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// codecs makes the codecs of types that travellers have found nothing against. Each output has its own, with the
// types as its own workers write them: an alias that another file declares may not be there when the output is built.
type codecs struct {
	x   *extractor
	out string                   // the output that is read for
	of  map[string]*typeutil.Map // by output; of *model.Codec
	ids typeutil.Map             // of int: identical types have one in all outputs
}

// written are the codecs of the output that is read for.
func (cs *codecs) written() *typeutil.Map {
	if cs.of[cs.out] == nil {
		cs.of[cs.out] = new(typeutil.Map)
	}
	return cs.of[cs.out]
}

func (cs *codecs) id(t types.Type) int {
	if id, ok := cs.ids.At(t).(int); ok {
		return id
	}
	id := cs.ids.Len() + 1
	cs.ids.Set(t, id)
	return id
}

// travel describes what leaves the process with a worker that can. It is nil for one that cannot.
func (x *extractor) travel(w *model.Worker, name string, self types.Type, sig *types.Signature) *model.Travel {
	t := &model.Travel{}
	p := &print{x: x, seen: map[string]bool{}}
	p.line("worker " + name)
	var in, out *types.Tuple
	if self != nil {
		x.travelConfig(t, p, self)
		do := x.lookup(self, "Do").Signature()
		in, out = do.Params(), do.Results()
		if job := x.lookup(self, "MapJob"); job != nil {
			in = job.Signature().Params()
		}
	} else {
		in, out = sig.Params(), sig.Results()
	}
	bound := map[string]bool{}
	for _, b := range w.Bound {
		bound[b.Name] = true
	}
	for _, v := range travelling(in, "parameter") {
		if bound[v.Name()] {
			t.Config = append(t.Config, model.CodecField{Name: v.Name(), Codec: x.codecs.codec(v.Type())})
			p.part("config "+v.Name(), v.Type())
			continue
		}
		t.In = append(t.In, x.codecs.codec(v.Type()))
		p.part("input", v.Type())
	}
	for _, v := range travelling(out, "result") {
		t.Out = append(t.Out, x.codecs.codec(v.Type()))
		p.part("result", v.Type())
	}
	t.Fingerprint = p.sum()
	return t
}

func (x *extractor) travelConfig(t *model.Travel, p *print, self types.Type) {
	s, ok := self.Underlying().(*types.Struct)
	if !ok {
		t.Value = x.codecs.codec(self)
		p.part("value", self)
		return
	}
	for f := range s.Fields() {
		switch {
		case f.Exported():
			t.Config = append(t.Config, model.CodecField{Name: f.Name(), Codec: x.codecs.codec(f.Type())})
			p.part("config "+f.Name(), f.Type())
		case f.Name() != "_":
			t.State = true
		}
	}
}

// codec is the codec of a type.
func (cs *codecs) codec(t types.Type) *model.Codec {
	written, _, problem := cs.x.convert(t)
	text := types.TypeString(t, (*types.Package).Path)
	if c, ok := cs.written().At(t).(*model.Codec); ok {
		// A type may be written in several ways, with aliases. Which is chosen does not depend on the
		// order of files.
		if problem == "" && text < c.Spelling {
			c.Type, c.Spelling = written, text
		}
		return c
	}
	c := &model.Codec{ID: cs.id(t), Type: written, Spelling: text}
	cs.written().Set(t, c)
	if m := cs.x.methodsOf(t); m != nil {
		c.Kind, c.Append, c.Read, c.Fails = model.CodecMethods, m.write, m.read, true
		return c
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		c.Kind, c.Scalar = model.CodecBasic, types.Typ[u.Kind()].Name()
	case *types.Pointer:
		c.Kind, c.Elem = model.CodecPointer, cs.codec(u.Elem())
		c.Fails = c.Elem.Fails
	case *types.Map:
		c.Kind, c.Key, c.Elem = model.CodecMap, cs.codec(u.Key()), cs.codec(u.Elem())
		c.Fails = c.Key.Fails || c.Elem.Fails
	case *types.Slice:
		cs.slice(c, u)
	case *types.Array:
		cs.array(c, t, u)
	case *types.Struct:
		cs.structure(c, t, u)
	}
	return c
}

func (cs *codecs) slice(c *model.Codec, u *types.Slice) {
	if c.Scalar = cs.x.scalar(u.Elem()); c.Scalar != "" {
		c.Kind = model.CodecNumbers
		return
	}
	c.Kind, c.Elem = model.CodecSlice, cs.codec(u.Elem())
	c.Fails = c.Elem.Fails
	if c.Elem.Kind == model.CodecNothing {
		c.Kind, c.Fails = model.CodecEmpties, true // there may be too many
	}
}

func (cs *codecs) array(c *model.Codec, t types.Type, u *types.Array) {
	if u.Len() == 0 {
		c.Kind = model.CodecNothing
		return
	}
	if c.Scalar = cs.x.scalar(t); c.Scalar != "" {
		c.Kind = model.CodecFixed
		return
	}
	c.Kind, c.Elem = model.CodecArray, cs.codec(u.Elem())
	c.Fails = c.Elem.Fails
	if c.Elem.Kind == model.CodecNothing {
		c.Kind = model.CodecNothing
	}
}

func (cs *codecs) structure(c *model.Codec, t types.Type, u *types.Struct) {
	if c.Scalar = cs.x.scalar(t); c.Scalar != "" {
		c.Kind = model.CodecFixed
		return
	}
	c.Kind = model.CodecNothing
	for f := range u.Fields() {
		if f.Name() == "_" {
			continue
		}
		e := cs.codec(f.Type())
		if e.Kind == model.CodecNothing {
			continue
		}
		c.Kind = model.CodecStruct
		c.Fields = append(c.Fields, model.CodecField{Name: f.Name(), Codec: e})
		c.Fails = c.Fails || e.Fails
	}
}

// scalar is the number that a type is made of and nothing else, so that its values lie in memory as
// they travel: the number itself, an array of such, or a struct whose fields are one kind of float, between
// which there is no padding. It is empty for any other type. In a struct integers travel one by one, since most are
// small.
func (x *extractor) scalar(t types.Type) string {
	if x.methodsOf(t) != nil {
		return ""
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&(types.IsNumeric|types.IsBoolean) != 0 {
			return types.Typ[u.Kind()].Name()
		}
	case *types.Array:
		if u.Len() > 0 {
			return x.scalar(u.Elem())
		}
	case *types.Struct:
		one := ""
		for f := range u.Fields() {
			s := x.scalar(f.Type())
			if !strings.HasPrefix(s, "float") && !strings.HasPrefix(s, "complex") || f.Name() == "_" || one != "" && s != one {
				return ""
			}
			one = s
		}
		return one
	}
	return ""
}

// travelling leaves out a leading context and a final error.
func travelling(list *types.Tuple, kind string) []*types.Var {
	var vars []*types.Var
	n := list.Len()
	for i := range n {
		v := list.At(i)
		if kind == "parameter" && i == 0 && isContext(v.Type()) || kind == "result" && i == n-1 && isError(v.Type()) {
			continue
		}
		vars = append(vars, v)
	}
	return vars
}

// print writes down everything that the form of messages depends on. No position is in it.
type print struct {
	x    *extractor
	text strings.Builder
	seen map[string]bool // declared types that were written out
}

// wireVersion is part of every fingerprint: it changes when package wire encodes something in another way.
const wireVersion = "jobgen wire 1"

func (p *print) sum() uint64 {
	h := fnv.New64a()
	h.Write([]byte(wireVersion + "\n" + p.text.String()))
	return h.Sum64()
}

func (p *print) line(s string) { p.text.WriteString(s + "\n") }

func (p *print) part(what string, t types.Type) {
	p.text.WriteString(what + " ")
	p.typ(t)
	p.text.WriteString("\n")
}

func (p *print) typ(t types.Type) {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok {
		name := types.TypeString(n, (*types.Package).Path)
		p.text.WriteString(name)
		if m := p.x.methodsOf(n); m != nil {
			p.text.WriteString("=" + m.write + "/" + m.read)
			return
		}
		if p.seen[name] {
			return
		}
		p.seen[name] = true
		p.text.WriteString("=")
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		p.text.WriteString(types.Typ[u.Kind()].Name())
	case *types.Pointer:
		p.text.WriteString("*")
		p.typ(u.Elem())
	case *types.Slice:
		p.text.WriteString("[]")
		p.typ(u.Elem())
	case *types.Array:
		fmt.Fprintf(&p.text, "[%d]", u.Len())
		p.typ(u.Elem())
	case *types.Map:
		p.text.WriteString("map[")
		p.typ(u.Key())
		p.text.WriteString("]")
		p.typ(u.Elem())
	case *types.Struct:
		p.text.WriteString("{")
		for f := range u.Fields() {
			p.text.WriteString(f.Name() + " ")
			p.typ(f.Type())
			p.text.WriteString(";")
		}
		p.text.WriteString("}")
	}
}
