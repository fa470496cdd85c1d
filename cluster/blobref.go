package cluster

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// blobRef says where some bytes are that are too large for a message: objects in the run's bucket, in parts, each called
// by the SHA-256 of its content. Inputs of the same content are one object. Results have a tag of their own, so that
// one that was read can be removed.
type blobRef struct {
	Size  int64
	Tag   uint64 // 0 for inputs
	Parts [][32]byte
}

func (r *blobRef) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Size))
	b = binary.AppendUvarint(b, r.Tag)
	b = binary.AppendUvarint(b, uint64(len(r.Parts)))
	for _, p := range r.Parts {
		b = append(b, p[:]...)
	}
	return b
}

func (r *reader) blob() (ref blobRef) {
	ref.Size = int64(r.int())
	ref.Tag = r.uvarint()
	n := r.count(32)
	for range n {
		if p := r.take(32); p != nil {
			ref.Parts = append(ref.Parts, [32]byte(p))
		}
	}
	if want := (ref.Size + partBytes - 1) / partBytes; int64(n) != want {
		r.bad = true
	}
	return ref
}

// name is what the whole is called in a cache.
func (r *blobRef) name() string {
	sum := digestOf(r.append(nil))
	return hex.EncodeToString(sum[:])
}

// part names a part's object.
func (r *blobRef) part(i int) string {
	name := hex.EncodeToString(r.Parts[i][:])
	if r.Tag != 0 {
		name = strconv.FormatUint(r.Tag, 36) + "-" + name
	}
	return name
}
