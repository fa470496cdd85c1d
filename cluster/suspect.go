package cluster

import (
	"fmt"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// mostAgents is how many agents may die, one after the other, while they run a job, until it is blamed. A job that only
// kills its own process is blamed at once, by its agent.
const mostAgents = 3

// begun is an agent that has begun a job of which others may have died.
type begun struct {
	agent string
	when  time.Time
}

// suspect notes that a job begins alone on an agent, because agents that ran its chunk have died. When enough of those
// have died with this job it has failed.
func (s *session) suspect(slot int, c *chunkCall, r *resultMessage, done func(jobgen.Done)) {
	k := r.Begun - c.first
	if k < 0 || k >= len(c.seen) {
		return
	}
	if s.dead(c.begun[r.Begun], r.Agent) >= mostAgents && s.first(c, k) {
		err := &jobgen.WorkerLostError{Reason: fmt.Sprintf("%d agents died, or were cut off, while they ran this job", mostAgents)}
		done(jobgen.Done{Index: r.Begun, Err: err, Worker: s.slots[slot].worker(r.Agent, ""), Start: r.Start})
		go s.tell(s.ctx, control{Cancel: c.number})
	}
	if c.begun == nil {
		c.begun = map[int][]begun{}
	}
	c.begun[r.Begun] = append(c.begun[r.Begun], begun{r.Agent, time.Now()})
}

// dead counts the agents of which nothing was heard since they began a job. One that was too slow, and whose chunk was
// given to others for that, is none of them.
func (s *session) dead(all []begun, now string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[string]time.Time{}
	for _, b := range all {
		if b.agent != now {
			last[b.agent] = b.when
		}
	}
	for _, m := range s.crew {
		if began, ok := last[m.Name]; ok && m.seen.After(began) {
			delete(last, m.Name)
		}
	}
	for agent, began := range last {
		if time.Since(began) < presenceEvery+presenceLate {
			delete(last, agent) // it may be about to say that it is there
		}
	}
	return len(last)
}

// presenceLate is how late a living agent may say that it is there.
const presenceLate = 500 * time.Millisecond
