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
		s.served = s.served || p.Serves[s.run]
	}
}

// able counts workers that are there, those that can run the run, and those that have refused it, and says why they have.
func (s *session) able() (workers, able, refused int, reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, m := range s.crew {
		if time.Since(m.seen) > presenceGone {
			delete(s.crew, key)
			continue
		}
		if m.Drains {
			continue
		}
		workers++
		if m.Serves[s.run] {
			able++
			continue
		}
		why := m.Refused[s.run]
		if why == "" {
			why = "it has not answered yet"
		} else {
			refused++
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s", m.Name, why))
	}
	sort.Strings(reasons)
	return workers, able, refused, reasons
}

// Times until something is said about workers that are missing.
const (
	crewTold    = 2 * time.Second
	crewRefused = 3 * time.Second // when there are some and all have refused
)

// lookForWorkers ends the run when there is nobody to run it for too long, and says so before.
func (s *session) lookForWorkers() {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var since time.Time
	told := false
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
		workers, able, refused, reasons := s.able()
		if able > 0 || !s.waiting(crewTold/2) {
			if told && able > 0 {
				s.log.Info("the run has workers again", "run", s.run, "workers", able)
			}
			since, told = time.Time{}, told && able == 0
			continue
		}
		if since.IsZero() {
			since = time.Now()
		}
		err := &NoWorkersError{Run: s.run, Workers: workers, Reasons: reasons}
		waited := time.Since(since)
		s.mu.Lock()
		never := !s.served
		s.mu.Unlock()
		switch {
		case workers > 0 && refused == workers && never && waited > crewRefused && s.opts.WaitForWorkers >= 0:
			s.fail(err)
			return
		case s.opts.WaitForWorkers >= 0 && waited > s.opts.WaitForWorkers:
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
