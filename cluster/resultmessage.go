package cluster

import (
	"encoding/binary"
	"time"
)

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

const (
	flagBlob = 1 << iota
	flagFailed
	flagWorker // another worker than the record's before
	flagTimed
	flagDigest
)

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
