package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// present says that the worker is there, again and again.
func (a *agent) present() {
	told := false
	tick := time.NewTicker(presenceEvery)
	defer tick.Stop()
	for {
		err := a.putPresence(a.ctx)
		switch {
		case err == nil:
			told = false
		case a.ctx.Err() != nil || passing(err) || isGone(err):
		case errors.Is(err, ErrPermission):
			a.giveUp(err)
		case !told:
			told = true
			a.conn.log.Warn("the worker cannot say that it is there", "error", err)
		}
		select {
		case <-a.ctx.Done():
			a.leave()
			return
		case <-tick.C:
			a.restAll()
		case <-a.presence:
		}
	}
}

// presenceSubject is where the bucket of workers has what an agent says of itself. Agents store it without looking at
// the bucket, for which they need a right less.
func (a *agent) presenceSubject() string { return "$KV." + workersBucket + "." + a.key }

func (a *agent) putPresence(ctx context.Context) error {
	text := encode(a.snapshot())
	return a.conn.do(ctx, "saying that this worker is there", func(ctx context.Context) error {
		_, err := a.conn.js.Publish(ctx, a.presenceSubject(), text)
		return err
	})
}

// leave says that the worker is not there any more; or, if it had to give up, why.
func (a *agent) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.failure() != nil {
		_ = a.putPresence(ctx)
		return
	}
	gone := nats.NewMsg(a.presenceSubject())
	gone.Header.Set("KV-Operation", "DEL")
	_, _ = a.conn.js.PublishMsg(ctx, gone)
}

func (a *agent) snapshot() presence {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := presence{
		Name: a.name, Slots: a.slots, Build: a.build, System: system,
		Refused: map[string]string{}, Serves: map[string]bool{}, Drains: a.pulling.Err() != nil,
	}
	for run, why := range a.refused {
		p.Refused[run] = why
	}
	for run := range a.runs {
		p.Serves[run] = true
	}
	if a.failed != nil {
		p.Gone, p.Drains = a.failed.Error(), false
	}
	return p
}

func (a *agent) sayPresence() {
	select {
	case a.presence <- struct{}{}:
	default:
	}
}
