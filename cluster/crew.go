package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// member is a worker that is, or was, there.
type member struct {
	presence
	seen time.Time
}

// watchCrew follows who is there. It returns when it knows those who are there now.
func (s *session) watchCrew(ctx context.Context) error {
	var now time.Time
	err := s.conn.do(ctx, "looking for workers", func(ctx context.Context) error {
		entry, err := s.kv().Get(ctx, leaseKey(s.run))
		if err == nil {
			now = entry.Created() // by the server's clock
		}
		return err
	})
	if err != nil {
		return err
	}
	s.structure.Lock()
	kv := s.buckets.workers
	s.structure.Unlock()
	watcher, err := kv.WatchAll(s.ctx)
	if err != nil {
		return explain("looking for workers", err)
	}
	s.structure.Lock()
	if s.watcher != nil {
		_ = s.watcher.Stop()
	}
	if s.watcher = watcher; s.ctx.Err() != nil {
		_ = watcher.Stop()
	}
	s.structure.Unlock()
	updates := watcher.Updates()
	timer := time.NewTimer(apiTimeout)
	defer timer.Stop()
	for initial := true; initial; {
		select {
		case e, ok := <-updates:
			if !ok || e == nil {
				initial = false
				break
			}
			if now.Sub(e.Created()) < presenceGone {
				s.met(e)
			}
		case <-timer.C:
			initial = false
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.background.Go(func() {
		for { // the library may forget to close what it has stopped
			select {
			case e, ok := <-updates:
				if !ok {
					return
				}
				if e != nil {
					s.met(e)
				}
			case <-s.ctx.Done():
				return
			}
		}
	})
	return nil
}

// met notes what a worker says of itself.
func (s *session) met(e jetstream.KeyValueEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Operation() != jetstream.KeyValuePut {
		delete(s.crew, e.Key())
		return
	}
	var p presence
	if json.Unmarshal(e.Value(), &p) == nil {
		s.crew[e.Key()] = member{p, time.Now()}
		if p.refusal(s.run) != "" {
			delete(s.served, p.Name)
		} else if p.Serves[s.run] {
			s.served[p.Name] = true
		}
		s.countStaff()
	}
}

// countStaff notes how many jobs those who are there can run. s.mu is held.
func (s *session) countStaff() {
	n := 0
	for _, m := range s.crew {
		if !m.Drains && m.refusal(s.run) == "" && time.Since(m.seen) < presenceGone {
			n += m.Slots
		}
	}
	s.staff = max(s.staff, n)
	s.useMore()
}

// refusal is why the worker cannot run a run, or empty.
func (p *presence) refusal(run string) string {
	if p.Gone != "" {
		return "it had to give up: " + p.Gone
	}
	return p.Refused[run]
}

// crewState is who is there.
type crewState struct {
	workers int
	able    int      // that can run the run
	refused []string // why the others cannot …
	silent  []string // … and those that have not said so yet
}

// reasons say of each worker that is not able why.
func (c *crewState) reasons() []string { return append(c.refused, c.silent...) }

func (s *session) crewNow() (c crewState) {
	var lost []string
	defer func() { // when s.mu is free again
		for _, name := range lost {
			s.log.Warn("a worker is not heard of any more; what it had is given to others", "run", s.run, "worker", name, "for", presenceGone)
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, m := range s.crew {
		if time.Since(m.seen) > presenceGone {
			delete(s.crew, key)
			if m.Serves[s.run] && !m.Drains {
				lost = append(lost, m.Name)
			}
			continue
		}
		if m.Drains {
			continue
		}
		c.workers++
		why := m.refusal(s.run)
		switch {
		case why != "":
			c.refused = append(c.refused, fmt.Sprintf("%s: %s", m.Name, why))
		case m.Serves[s.run]:
			c.able++
		default:
			c.silent = append(c.silent, m.Name+": it has not answered yet")
		}
	}
	sort.Strings(c.refused)
	sort.Strings(c.silent)
	return c
}

// Times until something is said about workers that are missing.
const (
	crewTold    = 2 * time.Second
	crewRefused = 3 * time.Second // when there are some and all have refused
)

// lookForWorkers ends the run when there is nobody to run it for too long, and says so before. It also names workers
// that are of no use while others run the jobs.
func (s *session) lookForWorkers() {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var since time.Time
	told, named := false, map[string]bool{}
	connects := s.conn.connects.Load()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if !s.conn.nc.IsConnected() { // who is there cannot be seen
			since = time.Time{}
			continue
		}
		if n := s.conn.connects.Load(); n != connects {
			// The server may have lost what was watched, or its numbers begin anew.
			if err := s.watchCrew(s.ctx); err == nil {
				connects = n
			}
			since = time.Time{}
			continue
		}
		c := s.crewNow()
		if c.able > 0 {
			for _, why := range c.refused {
				if !named[why] {
					named[why] = true
					s.log.Warn("a worker cannot run the run; others do", "run", s.run, "able", c.able, "worker", why)
				}
			}
		}
		if c.able > 0 || !s.waiting(crewTold/2) {
			if told && c.able > 0 {
				s.log.Info("the run has workers again", "run", s.run, "workers", c.able)
			}
			since, told = time.Time{}, told && c.able == 0
			continue
		}
		if since.IsZero() {
			since = time.Now()
		}
		err := &NoWorkersError{Run: s.run, Workers: c.workers, Reasons: c.reasons()}
		waited := time.Since(since)
		s.mu.Lock()
		never := len(s.served) == 0
		s.mu.Unlock()
		switch {
		case s.opts.WaitForWorkers >= 0 && (waited > s.opts.WaitForWorkers ||
			c.workers > 0 && c.workers == len(c.refused) && never && waited > crewRefused):
			s.fail(err)
			return
		case waited > crewTold && !told:
			told = true
			s.log.Warn("the run waits for workers", "run", s.run, "error", err)
		}
	}
}

// lookForServer ends the run when no server answers for too long.
func (s *session) lookForServer() {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var since time.Time
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		switch {
		case s.conn.nc.IsConnected():
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > serverGone:
			err := fmt.Errorf("for %v", serverGone)
			s.fail(&ServerError{Doing: "driving run " + s.run, Kind: ErrUnreachable, Err: err, Remedy: "a run with a name (Cluster.Resumable) can be taken up when there is a server again"})
			return
		}
	}
}
