package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
)

// codec is one way to encode a note.
type codec struct {
	name   string
	encode func() ([]byte, error) // what it returns is good until the next call
	decode func() error           // what encode has made
	got    note                   // decoded last
	bytes  int                    // of a message
}

// makeCodecs returns all ways, each with a note of n numbers to encode and a message to decode.
func makeCodecs(n int) []*codec {
	v := makeNote(n)
	return []*codec{generatedCodec(v), msgpCodec(v), gobStreamCodec(v), gobFreshCodec(v), jsonCodec(v)}
}

func generatedCodec(v note) *codec {
	w, c := specNote().Wire, &codec{name: "jobgen"}
	var buf []byte
	c.encode = func() (_ []byte, err error) {
		buf, err = w.AppendIn(buf[:0], v)
		return buf, err
	}
	msg := c.message()
	c.decode = func() (err error) {
		c.got, _, err = w.ReadIn(msg)
		return err
	}
	return c
}

func msgpCodec(v note) *codec {
	in, c := v.forMsgp(), &codec{name: "msgp, tuples"}
	var buf []byte
	c.encode = func() (_ []byte, err error) {
		buf, err = in.MarshalMsg(buf[:0])
		return buf, err
	}
	msg := c.message()
	c.decode = func() error {
		var got noteMsgp
		_, err := got.UnmarshalMsg(msg)
		c.got = got.note()
		return err
	}
	return c
}

func gobStreamCodec(v note) *codec {
	c := &codec{name: "gob, stream"}
	var buf bytes.Buffer
	enc := gob.NewEncoder(&buf)
	c.encode = func() ([]byte, error) {
		buf.Reset()
		err := enc.Encode(&v)
		return buf.Bytes(), err
	}
	var r bytes.Reader
	dec := gob.NewDecoder(&r)
	next := c.message() // with the types
	c.decode = func() error {
		r.Reset(next)
		c.got = note{}
		return dec.Decode(&c.got)
	}
	check(c.decode())
	next = c.message()
	return c
}

func gobFreshCodec(v note) *codec {
	c := &codec{name: "gob, fresh"}
	var buf bytes.Buffer
	c.encode = func() ([]byte, error) {
		buf.Reset()
		err := gob.NewEncoder(&buf).Encode(&v)
		return buf.Bytes(), err
	}
	msg := c.message()
	c.decode = func() error {
		c.got = note{}
		return gob.NewDecoder(bytes.NewReader(msg)).Decode(&c.got)
	}
	return c
}

func jsonCodec(v note) *codec {
	c := &codec{name: "json"}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	c.encode = func() ([]byte, error) {
		buf.Reset()
		err := enc.Encode(&v)
		return buf.Bytes(), err
	}
	msg := c.message()
	c.decode = func() error {
		c.got = note{}
		return json.Unmarshal(msg, &c.got)
	}
	return c
}

// message is one to decode again and again.
func (c *codec) message() []byte {
	msg := bytes.Clone(need(c.encode()))
	c.bytes = len(msg)
	return msg
}
