package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"
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

// resultMessage is what became of some of a chunk's jobs.
type resultMessage struct {
	Epoch  uint64
	Number uint64
	Agent  string        // that ran it
	Took   time.Duration // the chunk, until now
	Last   bool          // nothing follows from this delivery of the chunk
	Start  time.Time     // of the chunk
	Begun  int           // a job that is about to begin, whose worker may die of it; -1: none
	Fatal  []byte        // an error that ends the run
	Dones  []doneRecord
}

// doneRecord is one job's.
type doneRecord struct {
	Index   int
	Worker  string // "process-1 (pid 4711)"
	Start   time.Time
	Elapsed time.Duration
	Failed  bool     // Bytes is an error
	Digest  uint32   // of the input
	Bytes   []byte   // the result …
	Blob    *blobRef // … or where it is
}

var errShort = errors.New("cluster: a message that is cut short or damaged")

// digest tells inputs apart when a run is taken up again; it is no protection against malice.
func digest(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	flagBlob = 1 << iota
	flagFailed
	flagWorker // another worker than the record's before
	flagTimed
	flagDigest
)

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

func (m *resultMessage) append(b []byte) []byte {
	b = m.appendHead(b, len(m.Dones))
	var e recordEncoder
	e.begin(m.Start)
	for i := range m.Dones {
		b = e.append(b, &m.Dones[i])
	}
	return b
}

// appendHead appends what stands before a number of records.
func (m *resultMessage) appendHead(b []byte, records int) []byte {
	b = append(b, messageVersion)
	b = binary.AppendUvarint(b, m.Epoch)
	b = binary.AppendUvarint(b, m.Number)
	b = appendString(b, m.Agent)
	b = binary.AppendUvarint(b, uint64(m.Took))
	b = appendBool(b, m.Last)
	b = binary.AppendVarint(b, m.Start.UnixNano())
	b = binary.AppendUvarint(b, uint64(m.Begun+1))
	b = appendString(b, string(m.Fatal))
	return binary.AppendUvarint(b, uint64(records))
}

// recordEncoder encodes the records of one message, each with what is new beside the one before.
type recordEncoder struct {
	next   int
	worker string
	start  time.Time
}

func (e *recordEncoder) begin(start time.Time) { *e = recordEncoder{start: start} }

func (e *recordEncoder) append(b []byte, d *doneRecord) []byte {
	flags := byte(0)
	if d.Blob != nil {
		flags |= flagBlob
	}
	if d.Failed {
		flags |= flagFailed
	}
	if d.Worker != e.worker {
		flags |= flagWorker
	}
	if !d.Start.IsZero() {
		flags |= flagTimed
	}
	if d.Digest != 0 {
		flags |= flagDigest
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(d.Index-e.next))
	if d.Worker != e.worker {
		b = appendString(b, d.Worker)
	}
	if !d.Start.IsZero() {
		b = binary.AppendVarint(b, int64(d.Start.Sub(e.start)))
		b = binary.AppendUvarint(b, uint64(max(d.Elapsed, 0)))
		e.start = d.Start
	}
	if d.Digest != 0 {
		b = binary.LittleEndian.AppendUint32(b, d.Digest)
	}
	if d.Blob != nil {
		b = d.Blob.append(b)
	} else {
		b = binary.AppendUvarint(b, uint64(len(d.Bytes)))
		b = append(b, d.Bytes...)
	}
	e.next, e.worker = d.Index+1, d.Worker
	return b
}

// readResult decodes what a worker sent. Results lie in b.
func readResult(b []byte) (m resultMessage, err error) {
	r := reader{b: b}
	r.version()
	m.Epoch, m.Number = r.uvarint(), r.uvarint()
	m.Agent = string(r.bytes())
	m.Took = time.Duration(r.int())
	m.Last = r.bool()
	m.Start = time.Unix(0, r.varint())
	m.Begun = r.int() - 1
	if fatal := r.bytes(); len(fatal) > 0 {
		m.Fatal = fatal
	}
	const least = 3 // bytes of a record
	n := r.count(least)
	m.Dones = make([]doneRecord, 0, n)
	next, worker, start := 0, "", m.Start
	for range n {
		d := doneRecord{Worker: worker}
		flags := r.byte()
		d.Failed = flags&flagFailed != 0
		d.Index = next + int(r.varint())
		if flags&flagWorker != 0 {
			d.Worker = string(r.bytes())
		}
		if flags&flagTimed != 0 {
			d.Start = start.Add(time.Duration(r.varint()))
			d.Elapsed = time.Duration(r.int())
			start = d.Start
		}
		if flags&flagDigest != 0 {
			d.Digest = r.uint32()
		}
		if flags&flagBlob != 0 {
			ref := r.blob()
			d.Blob = &ref
		} else {
			d.Bytes = r.bytes()
		}
		if d.Index < 0 {
			r.bad = true
		}
		if r.bad {
			break
		}
		m.Dones = append(m.Dones, d)
		next, worker = d.Index+1, d.Worker
	}
	return m, r.end()
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// reader reads the parts of a message. After the first that is not there all are zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return errShort
	}
	return nil
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) version() {
	if v := r.byte(); v != messageVersion {
		r.bad = true
	}
}

func (r *reader) bool() bool { return r.byte() == 1 }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// int reads a number that is not negative.
func (r *reader) int() int {
	v := r.uvarint()
	if v > math.MaxInt {
		r.bad = true
		return 0
	}
	return int(v)
}

// count reads how many things follow, each of at least so many bytes.
func (r *reader) count(least int) int {
	n := r.int()
	if n > len(r.b)/least {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) bytes() []byte { return r.take(r.int()) }

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// String shows a chunk in errors.
func (m *chunkMessage) String() string {
	return fmt.Sprintf("chunk %d (jobs %d to %d)", m.Number, m.First, m.First+len(m.Inputs)-1)
}
