package jobgen

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// What became of a job is an entry of a frame, which has as many as there was time for. An entry says only
// what its parent cannot know from the one before it in the chunk, so that a quick job with a small result takes two
// bytes more than that:
//
//	number   jobs left out since the last entry, times eight; +1: it failed; +2: times follow; +4: it is of several jobs
//	number   (several) how many
//	number   (times) its start, in nanoseconds since the end of the job of the last entry; zigzag
//	number   (times) how long it took
//	number   the length of what follows
//	bytes    the result or error, or the results one after the other
//
// Numbers are varints. The first entry of a chunk goes by the chunk's first job and by 1970.
const (
	entryFailed = 1 << iota
	entryTimed
	entrySeveral
	entrySkip = iota
)

// packing is how far a chunk's entries have come, for the side that writes them and the side that reads them.
type packing struct {
	next int   // the job that an entry is of if none was left out
	end  int64 // of the last job
}

// begin is called for each chunk, with its first job.
func (p *packing) begin(first int) { *p = packing{next: first} }

// pack appends the head of an entry to b; its end, content, may be too large to be copied for nothing. Jobs
// come in the order of their indexes.
func (p *packing) pack(b []byte, d *Done) (head, content []byte) {
	kind := uint64(d.Index-p.next) << entrySkip
	p.next = d.Index + max(d.Count, 1)
	content = d.Result
	if d.Count > 1 {
		b = binary.AppendUvarint(b, kind|entrySeveral)
		b = binary.AppendUvarint(b, uint64(d.Count))
		return binary.AppendUvarint(b, uint64(len(content))), content
	}
	if d.Err != nil {
		kind |= entryFailed
		content = encodeError(nil, d.Err)
	}
	if d.Start.IsZero() {
		b = binary.AppendUvarint(b, kind)
	} else {
		start := d.Start.UnixNano()
		b = binary.AppendUvarint(b, kind|entryTimed)
		b = binary.AppendVarint(b, start-p.end)
		b = binary.AppendUvarint(b, uint64(d.Elapsed))
		p.end = start + int64(d.Elapsed)
	}
	return binary.AppendUvarint(b, uint64(len(content))), content
}

var errNonsense = errors.New("an entry of its results is damaged")

// unpack reads the first entry of b into d, and returns what follows it.
func (p *packing) unpack(b []byte, d *Done) (rest []byte, err error) {
	kind, b, ok := number(b)
	if !ok || kind>>entrySkip > math.MaxInt32 {
		return nil, errNonsense
	}
	count := uint64(1)
	if kind&entrySeveral != 0 {
		if count, b, ok = number(b); !ok || count == 0 || count > math.MaxInt32 || kind&(entryFailed|entryTimed) != 0 {
			return nil, errNonsense
		}
	}
	d.Index, d.Count = p.next+int(kind>>entrySkip), int(count)
	p.next = d.Index + d.Count
	if kind&entryTimed == 0 {
		d.Start, d.Elapsed = time.Time{}, 0
	} else {
		start, n := binary.Varint(b)
		if n <= 0 {
			return nil, errNonsense
		}
		var took uint64
		if took, b, ok = number(b[n:]); !ok {
			return nil, errNonsense
		}
		d.Start, d.Elapsed = time.Unix(0, p.end+start), time.Duration(took)
		p.end += start + int64(took)
	}
	size, b, ok := number(b)
	if !ok || size > uint64(len(b)) {
		return nil, errNonsense
	}
	content := b[:size:size]
	if d.Err, d.Result = nil, content; kind&entryFailed != 0 {
		d.Err, d.Result = decodeError(content), nil
	}
	return b[size:], nil
}

// number reads a varint.
func number(b []byte) (x uint64, rest []byte, ok bool) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), b[1:], true
	}
	x, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return x, b[n:], true
}
