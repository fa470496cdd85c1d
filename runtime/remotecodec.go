package jobgen

import (
	"fmt"
	"runtime/debug"
	"slices"
)

// mostBytes is how many bytes of inputs are enough for a chunk, whatever its number of jobs.
const mostBytes = 4 << 20

// encodeAll encodes jobs, up to the first that cannot be or that makes them enough for a chunk: those are todo. Left are
// those that come after them.
func (l *lane[In, Out]) encodeAll(jobs span) (todo span, left spans) {
	k := l.link
	k.buf, k.ends = k.buf[:0], k.ends[:0]
	if jobs.len() == 0 { // somebody else has taken over what was claimed
		return jobs, nil
	}
	job := jobs.lo
	if k.wire.AppendIns != nil && l.encodeTogether(jobs) {
		job += int64(len(k.ends)) - 1
	} else {
		for {
			l.job = job
			buf, err := l.encode(k.buf)
			if err != nil {
				k.failed = append(k.failed, Done{Index: int(job), Err: err, Worker: l.id})
				break
			}
			k.buf, k.ends = buf, append(k.ends, len(buf))
			if job+1 == jobs.hi || len(buf) >= mostBytes {
				break
			}
			job++
		}
	}
	if job+1 < jobs.hi {
		left = append(left, span{job + 1, jobs.hi})
	}
	return span{jobs.lo, jobs.lo + int64(len(k.ends))}, left
}

// encodeTogether encodes inputs in one go. It reports false if that was not to be: the job whose input something is wrong
// with is found one by one.
func (l *lane[In, Out]) encodeTogether(jobs span) (done bool) {
	k, p := l.link, &l.places
	defer func() {
		if !done {
			_ = recover()
			k.buf, k.ends = k.buf[:0], k.ends[:0]
		}
	}()
	lo := jobs.lo - p.base
	k.buf = slices.Grow(k.buf, min(jobs.len()*k.perJob+k.perJob, mostBytes)) // append would copy it several times
	k.ends = slices.Grow(k.ends, jobs.len())
	k.buf, k.ends = k.wire.AppendIns(k.buf, p.in[lo:lo+int64(jobs.len())], k.ends, mostBytes)
	k.perJob = len(k.buf)/len(k.ends) + 1
	return true
}

// encode appends the input of the current job to b. A panic in the user's own encoding is the
// job's.
func (l *lane[In, Out]) encode(b []byte) (_ []byte, err error) {
	returned := false
	defer guard(&returned, &err, "encoding the input")
	b, err = l.link.wire.AppendIn(b, l.input())
	returned = true
	return b, err
}

// decode makes d the current job, and returns its result.
func (l *lane[In, Out]) decode(d *Done) (out Out, err error) {
	l.job = int64(d.Index)
	l.times = times{start: d.Start, elapsed: d.Elapsed}
	if d.Worker != "" {
		l.id = d.Worker
	}
	err = d.Err
	if err == nil {
		out, err = l.result(d.Result)
	}
	for _, f := range l.run.jobDone {
		f(l.run.info, l.jobInfo(err))
	}
	return out, err
}

// result decodes a result. A panic in the user's own decoding is the job's.
func (l *lane[In, Out]) result(b []byte) (out Out, err error) {
	returned := false
	defer guard(&returned, &err, "decoding the result")
	out, rest, err := l.link.wire.ReadOut(b)
	if returned = true; err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are left over", len(rest))
	}
	return out, err
}

// reportedTogether takes the results of jobs of which nobody wants to know more.
func (l *lane[In, Out]) reportedTogether(d *Done) {
	k, p := l.link, &l.places
	if d.Worker != "" {
		l.id = d.Worker
	}
	l.times = times{}
	var out []Out
	if p.out != nil {
		lo := int64(d.Index) - p.base
		out = p.out[lo : lo+int64(d.Count)]
	} else {
		k.out = slices.Grow(k.out[:0], d.Count)[:d.Count]
		defer clear(k.out)
		out = k.out
	}
	n, rest, err := k.wire.ReadOuts(d.Result, out)
	if err == nil && len(rest) > 0 {
		n, err = 0, fmt.Errorf("%d bytes are left over", len(rest))
	}
	for i := range d.Count {
		l.job = int64(d.Index + i)
		switch {
		case i >= n:
			k.failed = append(k.failed, Done{Index: d.Index + i, Err: fmt.Errorf("decoding the result: %w", err), Worker: l.id})
		case p.out == nil:
			l.finished(out[i], nil)
		case p.ready != nil:
			p.ready[l.job-p.base].Store(p.lap)
		}
	}
	if p.out != nil && p.ready != nil {
		l.run.consumer.tell()
		l.run.consumer.hurry()
	}
	l.next()
}

// guard is deferred where the user's own encoding or decoding is called: a panic in it is its error, and any error says what
// was being done. It does not stop runtime.Goexit.
func guard(returned *bool, err *error, doing string) {
	if !*returned {
		if v := recover(); v != nil {
			*err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}
	if *err != nil {
		*err = fmt.Errorf("%s: %w", doing, *err)
	}
}
