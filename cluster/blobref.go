package cluster

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// blobRef says where some bytes are that are too large for a message: objects in the run's bucket, in parts, each called by the SHA-256 of
// its content.
type blobRef struct {
	Size  int64
	Only  uint64 // not 0: of nobody else's, also if the content is the same
	Parts [][32]byte
}

func (r *blobRef) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Size))
	b = binary.AppendUvarint(b, r.Only)
	b = binary.AppendUvarint(b, uint64(len(r.Parts)))
	for _, p := range r.Parts {
		b = append(b, p[:]...)
	}
	return b
}

func (r *reader) blob() (ref blobRef) {
	ref.Size = int64(r.int())
	ref.Only = r.uvarint()
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
func (r *blobRef) name() string { return partName(digestOf(r.append(nil))) }

// objects are the names of the parts on the server.
func (r *blobRef) objects() []string {
	names := make([]string, len(r.Parts))
	for i, p := range r.Parts {
		names[i] = r.object(p)
	}
	return names
}

func (r *blobRef) object(p [32]byte) string {
	if r.Only != 0 {
		return partName(p) + "-" + strconv.FormatUint(r.Only, 16)
	}
	return partName(p)
}

func partName(p [32]byte) string { return hex.EncodeToString(p[:]) }
