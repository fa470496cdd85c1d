package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// closeAgents has the agents that take part close their workers, and returns what those returned. Agents that do not
// answer are dead, or cut off, and not waited for.
func (s *session) closeAgents() error {
	s.mu.Lock()
	n := len(s.agents)
	s.ending = true
	s.mu.Unlock()
	if n == 0 || !s.conn.nc.IsConnected() {
		return nil
	}
	began := time.Now()
	s.tell(context.Background(), control{End: true})
	hear := max(time.Second, 10*time.Since(began))
	began = time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		silent, closing := s.agentsLeft()
		waited := time.Since(began)
		if len(silent)+len(closing) == 0 || len(closing) == 0 && waited > hear {
			break
		}
		if waited > closeTime && s.task.JobTimeout == 0 || waited > closeTime+s.task.JobTimeout {
			return errors.Join(s.closeErrors(), fmt.Errorf("cluster: workers do not close within %v: %q", closeTime, closing))
		}
	}
	return s.closeErrors()
}

func (s *session) agentsLeft() (silent, closing []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, state := range s.agents {
		switch state {
		case agentTakesPart:
			silent = append(silent, name)
		case agentCloses:
			if s.diedClosing(name) {
				s.agents[name] = agentClosed
				s.log.Warn("a worker has died while it closed", "run", s.run, "worker", name)
				continue
			}
			closing = append(closing, name)
		}
	}
	return silent, closing
}

// diedClosing reports whether nothing was heard for long of an agent that closes. s.mu is held.
func (s *session) diedClosing(agent string) bool {
	began := s.closes[agent]
	if time.Since(began) < 2*presenceEvery+time.Second {
		return false
	}
	for _, m := range s.crew {
		if m.Name == agent && m.seen.After(began) {
			return false
		}
	}
	return true
}

func (s *session) closeErrors() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.closed...)
}

// heardEnd notes that an agent has heard of the end, or is done with it.
func (s *session) heardEnd(e *event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Kind == eventClosing:
		s.agents[e.Agent], s.closes[e.Agent] = agentCloses, time.Now()
	default:
		s.agents[e.Agent] = agentClosed
		if len(e.Err) > 0 {
			s.closed = append(s.closed, jobgen.ReadError(e.Err))
		}
	}
}

// letGo leaves a run to the next driver, who need not wait for the lease to expire.
func (s *session) letGo(ctx context.Context) {
	kv := s.kv()
	if s.announced {
		m := s.manifest
		m.Idle = true // workers let go of it
		_ = s.conn.do(ctx, "leaving run "+s.run, func(ctx context.Context) error {
			_, err := kv.Put(ctx, manifestKey(s.run), encode(m))
			return err
		})
	}
	s.holding.Lock()
	defer s.holding.Unlock()
	_ = s.conn.do(ctx, "giving back the lease of run "+s.run, func(ctx context.Context) error {
		l := lease{ID: s.leaseID, Named: true, Driver: "nobody: its driver " + processName() + " has ended", Host: hostName(), Keep: s.opts.Keep}
		_, err := kv.Update(ctx, leaseKey(s.run), encode(l), s.revision)
		return err
	})
}

// janitor removes the runs of the dead, now and then.
func (s *session) janitor() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		kv := s.kv()
		ctx, cancel := context.WithTimeout(s.ctx, 4*apiTimeout)
		if entry, err := kv.Get(ctx, leaseKey(s.run)); err == nil {
			tidy(ctx, s.conn, kv, entry.Created())
		}
		cancel()
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
	}
}
