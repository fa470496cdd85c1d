package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// askProgress asks the driver what of the chunk is done, which was given to somebody before. It returns false if all is.
func (w *chunkWork) askProgress() (known bool) {
	ctx, cancel := context.WithTimeout(w.ctx, apiTimeout)
	defer cancel()
	a, err := w.h.ask(ctx, question{Chunk: w.chunk.Number})
	if err != nil {
		return true // it does no harm to do it again
	}
	if a.Unknown {
		return false
	}
	for _, r := range a.Skip {
		for job := max(r[0], w.chunk.First); job < min(r[1], w.chunk.First+len(w.done)); job++ {
			w.done[job-w.chunk.First] = true
		}
	}
	return true
}

func (h *hosted) ask(ctx context.Context, q question) (a answer, err error) {
	q.Epoch = h.manifest.Epoch
	wait := apiTimeout
	if q.Segment != 0 {
		wait = 10 * time.Minute // the driver may have gigabytes to send
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	msg, err := h.agent.conn.nc.RequestWithContext(ctx, askSubject(h.manifest.Run), encode(q))
	if err != nil {
		if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, context.DeadlineExceeded) {
			err = errNoAnswer
		}
		return a, err
	}
	if err := json.Unmarshal(msg.Data, &a); err != nil {
		return a, err
	}
	if a.Err != "" {
		return a, errors.New(a.Err)
	}
	return a, nil
}

var errNoAnswer = errors.New("cluster: the driver does not answer")
