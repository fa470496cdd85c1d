package cluster

import "time"

// A driver says now and then that it is there. One that was killed does not, and its run may stay on the server for long,
// until another one takes it up: meanwhile its workers' processes would hold memory for nothing.

// sayHere tells those who take part that the driver is there.
func (s *session) sayHere() {
	_ = s.conn.nc.Publish(controlSubject(s.run), encode(control{Epoch: s.epoch}))
}

// restAll ends the processes of runs that have nothing to do and no driver. They are started again for the next chunk.
func (a *agent) restAll() {
	a.mu.Lock()
	runs := a.order
	a.mu.Unlock()
	for _, h := range runs {
		if time.Since(time.Unix(0, h.heard.Load())) > restAfter {
			go h.rest()
		}
	}
}

func (h *hosted) rest() {
	if !h.open.TryLock() {
		return // it is about to work, or rests already
	}
	defer h.open.Unlock()
	h.mu.Lock()
	busy := h.ended || len(h.chunks) > 0
	h.mu.Unlock()
	if h.session == nil || busy {
		return
	}
	h.agent.conn.log.Info("nothing was heard of the run's driver; its processes here end, until there is more to do", "run", h.manifest.Run)
	if err := h.session.Close(); err != nil {
		h.agent.conn.log.Warn("a worker's Close has failed", "run", h.manifest.Run, "error", err)
	}
	h.session = nil
}
