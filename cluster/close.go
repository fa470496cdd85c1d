package cluster

import (
	"context"
	"errors"
)

// Close ends the run: it has the workers closed, and removes what is on the server.
func (s *session) Close() error {
	errs := []error{s.closeAgents()}
	var fenced error
	if s.named && !errors.Is(context.Cause(s.ctx), ErrFenced) {
		fenced = s.stillHeld()
		errs = append(errs, fenced)
	}
	s.cancel(errors.New("the run has ended"))
	s.hangUp()
	s.wait()
	ctx, cancel := context.WithTimeout(context.Background(), 4*apiTimeout)
	defer cancel()
	if fenced == nil && !errors.Is(context.Cause(s.ctx), ErrFenced) { // or else it is another driver's
		keep := s.named && !s.complete
		if err := removeRun(ctx, s.conn, s.run, !keep); err != nil {
			s.log.Warn("a run cannot be removed", "run", s.run, "error", err)
		}
		if keep {
			s.letGo(ctx)
		}
	}
	s.report()
	return errors.Join(errs...)
}

// abandon releases what a session holds that could not be opened.
func (s *session) abandon() {
	s.cancel(errors.New("the run was not begun"))
	s.hangUp()
	s.wait()
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	if s.epoch > 0 && !s.found {
		_ = removeRun(ctx, s.conn, s.run, true)
	} else if s.epoch > 0 {
		s.letGo(ctx)
	}
}

func (s *session) hangUp() {
	s.unlisten()
	s.structure.Lock()
	defer s.structure.Unlock()
	if s.reading != nil {
		s.reading.Stop()
	}
	if s.watcher != nil {
		_ = s.watcher.Stop()
	}
	for _, sub := range s.subs {
		_ = sub.Unsubscribe()
	}
}

// agentState is what is known of an agent's part in the run.
type agentState int

const (
	agentTakesPart agentState = iota
	agentCloses
	agentClosed
)
