package cluster

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/jobgen/jobgen/sharedmem"
)

// segment returns a segment of the driver's shared memory, as a file of this machine. Again says that what the driver has stored
// of it could not be read.
func (h *hosted) segment(id uint64, again bool) (info sharedSegment, f *os.File, err error) {
	a, err := h.ask(h.ctx, question{Segment: id, Lost: again})
	if err != nil {
		return info, nil, err
	}
	if err := json.Unmarshal(a.Segment, &info); err != nil {
		return info, nil, err
	}
	r := reader{b: a.Blob}
	ref := r.blob()
	if err := r.end(); err != nil {
		return info, nil, err
	}
	path, err := h.agent.cache.file(h.ctx, h.blobs, &ref, info.Bytes)
	if isLost(err) && !again {
		return h.segment(id, true)
	}
	if err != nil {
		return info, nil, err
	}
	if f, err = os.Open(path); err != nil {
		return info, nil, err
	}
	h.mu.Lock()
	h.fetched = append(h.fetched, id)
	h.mu.Unlock()
	info.ReadOnly = true
	if info.File == "" {
		info.Copy = path
	}
	return info, f, nil
}

// detach lets go of the segments that the run's jobs needed. The arrays in them may be others by the next run.
func (h *hosted) detach() {
	h.mu.Lock()
	fetched := h.fetched
	h.fetched = nil
	h.mu.Unlock()
	for _, id := range fetched {
		if err := sharedmem.Detach(id); err != nil {
			h.agent.conn.log.Warn("a segment is still in use", "run", h.manifest.Run, "error", err)
		}
	}
}

// missing is asked for a segment of shared memory to which a handle in a job leads: the driver of one of the runs has it.
func (a *agent) missing(id uint64) (sharedSegment, *os.File, error) {
	a.mu.Lock()
	runs := append([]*hosted(nil), a.order...)
	a.mu.Unlock()
	err := errors.New("no run is under way")
	for _, h := range runs {
		info, f, e := h.segment(id, false)
		if e == nil {
			return info, f, nil
		}
		err = e
	}
	return sharedSegment{}, nil, err
}
