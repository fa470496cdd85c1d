package cluster

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// blobRef says where some bytes are that are too large for a message: objects in the run's bucket, in parts, each called by the SHA-256 of
// its content.
type blobRef struct {
	Size  int64
	Salt  uint64 // not 0 for what is removed when it was read: nobody else's object has it in its name
	Parts [][32]byte
}

func (r *blobRef) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Size))
	b = binary.LittleEndian.AppendUint64(b, r.Salt)
	b = binary.AppendUvarint(b, uint64(len(r.Parts)))
	for _, p := range r.Parts {
		b = append(b, p[:]...)
	}
	return b
}

func (r *reader) blob() (ref blobRef) {
	ref.Size = int64(r.int())
	if salt := r.take(8); salt != nil {
		ref.Salt = binary.LittleEndian.Uint64(salt)
	}
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

func partName(p [32]byte) string { return hex.EncodeToString(p[:]) }

// object is what the bucket calls a part.
func (r *blobRef) object(i int) string {
	if r.Salt == 0 {
		return partName(r.Parts[i])
	}
	return fmt.Sprintf("%s-%x", partName(r.Parts[i]), r.Salt)
}
