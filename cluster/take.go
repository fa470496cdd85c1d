package cluster

import (
	"context"
	"fmt"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// slotState is used by one goroutine at a time.
type slotState struct {
	took time.Duration
	name string // of the worker that was named last …
	from [2]string
}

// mostLost is how many results of a chunk are computed again because what the server has of them cannot be read.
const mostLost = 3

// take takes what a worker has sent of a chunk. It reports whether the worker is through with it.
func (s *session) take(ctx context.Context, slot int, c *chunkCall, r *resultMessage, done func(jobgen.Done)) (last bool, err error) {
	st := &s.slots[slot]
	st.took = max(r.Took, 1)
	lost := false
	for i := range r.Dones {
		d := &r.Dones[i]
		k := d.Index - c.first
		if k < 0 || k >= len(c.seen) {
			return false, fmt.Errorf("cluster: %s reports job %d, which is not of chunk %d", r.Agent, d.Index, c.number)
		}
		if !s.first(c, k) {
			s.count(duplicateResults, 1)
			s.dropBlob(d.Blob)
			continue
		}
		out := jobgen.Done{Index: d.Index, Result: d.Bytes, Worker: st.worker(r.Agent, d.Worker), Start: d.Start, Elapsed: d.Elapsed}
		switch {
		case d.Failed:
			out.Result, out.Err = nil, jobgen.ReadError(d.Bytes)
		case d.Blob != nil:
			out.Result, err = s.blobs.get(ctx, d.Blob)
			if err != nil && ctx.Err() == nil && isLost(err) && c.lost < mostLost {
				s.log.Warn("a result cannot be read; its job is run again", "run", s.run, "job", d.Index, "error", err)
				s.unsee(c, k)
				c.lost++
				lost = true
				c.mu.Lock()
				c.sequence = 0 // its worker is through with it
				c.mu.Unlock()
				continue
			}
			if err != nil {
				s.unsee(c, k)
				return false, s.unlessOver(ctx, fmt.Errorf("the result of job %d: %w", d.Index, err))
			}
		}
		done(out)
		s.dropBlob(d.Blob)
	}
	if len(r.Fatal) > 0 {
		return true, jobgen.ReadError(r.Fatal)
	}
	if r.Begun >= 0 {
		s.suspect(slot, c, r, done)
	}
	if lost {
		c.sendAgain()
		return false, nil
	}
	return r.Last, nil
}

// first notes that a job of a chunk is reported, and reports whether it was not before.
func (s *session) first(c *chunkCall, k int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.seen[k] {
		return false
	}
	c.seen[k] = true
	c.left--
	return true
}

// unsee takes back that a job is reported.
func (s *session) unsee(c *chunkCall, k int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.seen[k] = false
	c.left++
}

// dropBlob removes a result that was read, unless a later driver may want it.
func (s *session) dropBlob(ref *blobRef) {
	if ref == nil || s.named {
		return
	}
	s.spawn(func() {
		for i := range ref.Parts {
			s.blobs.drop(ref.object(i))
		}
	})
}

// worker names a worker of an agent. Most results in a row are of the same one.
func (st *slotState) worker(agent, worker string) string {
	if from := [2]string{agent, worker}; st.from != from {
		st.from, st.name = from, workerName(agent, worker)
	}
	return st.name
}

func workerName(agent, worker string) string {
	if worker == "" {
		return agent
	}
	return agent + " " + worker
}
