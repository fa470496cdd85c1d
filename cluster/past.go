package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// pastResults are the results that an earlier driver of the run has got. They stay on the server until they are needed.
type pastResults struct {
	last uint64 // message

	mu   sync.Mutex
	runs []pastSpan // by job, none over another
}

// pastSpan is some consecutive jobs that succeeded, whose results are in one message.
type pastSpan struct {
	lo, hi   int
	sequence uint64
}

// readPast finds out what results are there.
func (s *session) readPast(ctx context.Context) error {
	info, err := s.results.Info(ctx)
	if err != nil {
		return explain("reading what is done of run "+s.run, err)
	}
	s.past.last = info.State.LastSeq
	if info.State.Msgs == 0 {
		return nil
	}
	consumer, err := s.results.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return explain("reading what is done of run "+s.run, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(64, 8<<20))
	if err != nil {
		return explain("reading what is done of run "+s.run, err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		msg, err := messages.Next()
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return explain("reading what is done of run "+s.run, err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		if r, err := readResult(msg.Data()); err == nil {
			s.past.add(&r, meta.Sequence.Stream)
		}
		if meta.NumPending == 0 {
			break
		}
	}
	s.past.tidy()
	return nil
}

func (p *pastResults) add(r *resultMessage, sequence uint64) {
	for i := range r.Dones {
		d := &r.Dones[i]
		if d.Failed {
			continue // it is tried again
		}
		if n := len(p.runs); n > 0 && p.runs[n-1].sequence == sequence && p.runs[n-1].hi == d.Index {
			p.runs[n-1].hi++
			continue
		}
		p.runs = append(p.runs, pastSpan{d.Index, d.Index + 1, sequence})
	}
}

// tidy brings spans in order, and cuts off what others have.
func (p *pastResults) tidy() {
	slices.SortFunc(p.runs, func(a, b pastSpan) int { return a.lo - b.lo })
	kept := p.runs[:0]
	end := 0
	for _, r := range p.runs {
		if r.lo = max(r.lo, end); r.lo < r.hi {
			kept = append(kept, r)
			end = r.hi
		}
	}
	p.runs = kept
}

// lastMessage is the last message of earlier drivers; 0 if there is none.
func (p *pastResults) lastMessage() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// find returns the span that has a job, or the next one after it.
func (p *pastResults) find(job int) (pastSpan, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.search(job)
	if i == len(p.runs) {
		return pastSpan{}, false
	}
	return p.runs[i], true
}

// search returns the place of the first span that does not end before a job.
func (p *pastResults) search(job int) int {
	i, _ := slices.BinarySearchFunc(p.runs, job, func(r pastSpan, job int) int {
		if r.hi <= job {
			return -1
		}
		return 1
	})
	return i
}

// cut forgets the results of a span from a job on.
func (p *pastResults) cut(job int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.search(job)
	if i == len(p.runs) || p.runs[i].lo > job {
		return
	}
	if p.runs[i].lo == job {
		p.runs = slices.Delete(p.runs, i, i+1)
		return
	}
	p.runs[i].hi = job
}

// drop forgets what is in a message.
func (p *pastResults) drop(sequence uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = slices.DeleteFunc(p.runs, func(r pastSpan) bool { return r.sequence == sequence })
}

// forget forgets everything: the server has lost it.
func (p *pastResults) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.runs = 0, nil
}

// gap returns how many jobs from one on have no result, at most n.
func (p *pastResults) gap(job, n int) int {
	if r, ok := p.find(job); ok {
		return min(n, max(r.lo-job, 0))
	}
	return n
}

// recallSome reports the first of the jobs from what is there, as many as one message has, and returns their number.
func (s *session) recallSome(ctx context.Context, slot, first int, jobs [][]byte, done func(jobgen.Done)) (int, error) {
	r, ok := s.past.find(first)
	if !ok || r.lo > first {
		return 0, nil
	}
	var raw *jetstream.RawStreamMsg
	err := s.persist(ctx, "reading what is done of run "+s.run, func() error {
		return s.conn.do(ctx, "reading what is done of run "+s.run, func(ctx context.Context) (err error) {
			raw, err = s.resultStream().GetMsg(ctx, r.sequence)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				raw, err = nil, nil
			}
			return err
		})
	})
	if err != nil {
		return 0, s.unlessOver(ctx, err)
	}
	var m resultMessage
	if raw != nil {
		m, err = readResult(raw.Data)
	}
	if raw == nil || err != nil { // the server has lost or damaged it
		s.past.drop(r.sequence)
		return 0, nil
	}
	n := 0
	for i := range m.Dones {
		d := &m.Dones[i]
		if d.Index != first+n || n == len(jobs) || d.Index >= r.hi || d.Failed {
			continue
		}
		if d.Digest != digest(jobs[n]) {
			break // the input is another one now
		}
		out := jobgen.Done{Index: d.Index, Result: d.Bytes, Worker: s.slots[slot].worker(m.Agent, d.Worker), Start: d.Start, Elapsed: d.Elapsed}
		if d.Blob != nil {
			if out.Result, err = s.blobs.get(ctx, d.Blob); err != nil {
				if isLost(err) && ctx.Err() == nil {
					break
				}
				return n, s.unlessOver(ctx, err)
			}
		}
		done(out)
		n++
	}
	if n == 0 {
		s.past.cut(first)
	}
	s.count(jobsRecalled, n)
	return n, nil
}
