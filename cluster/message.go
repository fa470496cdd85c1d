package cluster

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// messageVersion is the first byte of chunks and results.
const messageVersion = 1

// chunkMessage is a chunk of jobs on its way to a worker.
type chunkMessage struct {
	Epoch   uint64 // of the driver
	Number  uint64 // of the chunk; no other of the epoch has it
	First   int
	Attempt int
	Digests bool       // results carry digests of their inputs
	Inputs  []jobInput // one for each job
}

// jobInput is an encoded input, or where it is.
type jobInput struct {
	Bytes []byte
	Blob  *blobRef
}

// digest tells inputs apart when a run is taken up again; it is no protection against malice.
func digest(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m *chunkMessage) append(b []byte) []byte {
	b = append(b, messageVersion)
	b = binary.AppendUvarint(b, m.Epoch)
	b = binary.AppendUvarint(b, m.Number)
	b = binary.AppendUvarint(b, uint64(m.First))
	b = binary.AppendUvarint(b, uint64(m.Attempt))
	b = appendBool(b, m.Digests)
	b = binary.AppendUvarint(b, uint64(len(m.Inputs)))
	for _, in := range m.Inputs {
		if in.Blob != nil {
			b = binary.AppendUvarint(b, 1)
			b = in.Blob.append(b)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(in.Bytes))<<1)
	}
	for _, in := range m.Inputs {
		if in.Blob == nil {
			b = append(b, in.Bytes...)
		}
	}
	return b
}

// readChunk decodes a chunk. Its inputs lie in b.
func readChunk(b []byte) (m chunkMessage, err error) {
	r := reader{b: b}
	r.version()
	m.Epoch, m.Number = r.uvarint(), r.uvarint()
	m.First, m.Attempt = r.int(), r.int()
	m.Digests = r.bool()
	n := r.count(1)
	m.Inputs = make([]jobInput, 0, n)
	lengths := make([]int, 0, n)
	for range n {
		v := r.uvarint()
		if v&1 == 1 {
			ref := r.blob()
			m.Inputs = append(m.Inputs, jobInput{Blob: &ref})
			lengths = append(lengths, 0)
			continue
		}
		if v>>1 > uint64(len(b)) {
			r.bad = true
			v = 0
		}
		m.Inputs = append(m.Inputs, jobInput{})
		lengths = append(lengths, int(v>>1))
	}
	for i := range m.Inputs {
		if m.Inputs[i].Blob == nil {
			m.Inputs[i].Bytes = r.take(lengths[i])
		}
	}
	if m.First > math.MaxInt-len(m.Inputs) {
		r.bad = true
	}
	return m, r.end()
}

// String shows a chunk in errors.
func (m *chunkMessage) String() string {
	return fmt.Sprintf("chunk %d (jobs %d to %d)", m.Number, m.First, m.First+len(m.Inputs)-1)
}
