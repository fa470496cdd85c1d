package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// consume begins to read results.
func (s *session) consume(ctx context.Context) error {
	return s.conn.do(ctx, "reading the results of run "+s.run, func(ctx context.Context) error {
		cfg := jetstream.ConsumerConfig{
			Name: readConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second, MaxAckPending: 65536,
			DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: time.Hour, Replicas: s.opts.Replicas,
		}
		if s.resumed { // what was there before is read when it is asked for
			cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, s.past.last+1
			if err := s.results.DeleteConsumer(ctx, readConsumer); err != nil && !isGone(err) {
				return err
			}
		}
		consumer, err := s.results.CreateOrUpdateConsumer(ctx, cfg)
		if err != nil {
			return err
		}
		s.heard.Store(time.Now().UnixNano())
		s.reading, err = consumer.Consume(s.receive, jetstream.PullMaxMessagesWithBytesLimit(256, 8<<20),
			jetstream.PullExpiry(5*time.Second), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
				if isGone(err) {
					s.background.Go(func() { s.vanished(s.ctx) })
				}
			}))
		return err
	})
}

// receive takes one message of results to the chunk whose they are.
func (s *session) receive(msg jetstream.Msg) {
	defer func() { _ = msg.Ack() }() // one that is not taken is a duplicate, or of another driver
	r, err := readResult(msg.Data())
	if err != nil {
		s.conn.log.Warn("a message of results is damaged, and ignored", "run", s.run, "error", err)
		return
	}
	if r.Epoch != s.epoch {
		return
	}
	s.heard.Store(time.Now().UnixNano())
	s.mu.Lock()
	c := s.calls[r.Number]
	s.served[r.Agent] = true
	if _, known := s.agents[r.Agent]; !known {
		s.agents[r.Agent] = agentTakesPart
	}
	s.mu.Unlock()
	if c == nil {
		s.stats.Duplicates.Add(int64(len(r.Dones)))
		return
	}
	select {
	case c.results <- r:
	case <-c.over:
	case <-s.ctx.Done():
	}
}

// listen hears what workers ask, and tell by the way.
func (s *session) listen() error {
	before := s.conn.nc.LastError()
	for subject, f := range map[string]nats.MsgHandler{askSubject(s.run): s.asked, eventSubject(s.run): s.told} {
		sub, err := s.conn.nc.Subscribe(subject, f)
		if err != nil {
			return explain("listening on "+subject, err)
		}
		s.subs = append(s.subs, sub)
	}
	err := s.conn.nc.FlushTimeout(apiTimeout)
	if after := s.conn.nc.LastError(); err == nil && after != before && errors.Is(after, nats.ErrPermissionViolation) {
		err = after // it comes before the answer to the flush
	}
	return explain("listening to workers", err)
}

// tell tells all workers of the run. It is a hint that may be lost.
func (s *session) tell(c control) {
	text, _ := json.Marshal(c)
	_ = s.conn.nc.Publish(controlSubject(s.run), text)
	_ = s.conn.nc.FlushTimeout(apiTimeout)
}

// told takes an event.
func (s *session) told(msg *nats.Msg) {
	var e event
	if json.Unmarshal(msg.Data, &e) != nil {
		return
	}
	switch e.Kind {
	case eventStarted:
		s.mu.Lock()
		s.served[e.Agent] = true
		if _, known := s.agents[e.Agent]; !known {
			s.agents[e.Agent] = agentTakesPart
		}
		s.mu.Unlock()
		s.task.WorkerStarted(workerName(e.Agent, e.Worker))
	case eventLost:
		s.task.WorkerLost(workerName(e.Agent, e.Worker), jobgen.ReadError(e.Err))
	case eventLog:
		jobgen.ForwardRecord(s.task.Logger, e.Record)
	case eventRunning:
		s.mu.Lock()
		c := s.calls[e.Chunk]
		s.mu.Unlock()
		if c != nil {
			select {
			case c.running <- struct{}{}:
			default:
			}
		}
	case eventClosing, eventClosed:
		s.heardEnd(&e)
	}
}

// asked answers a worker.
func (s *session) asked(msg *nats.Msg) {
	var q question
	if json.Unmarshal(msg.Data, &q) != nil {
		return
	}
	if q.Segment != 0 { // to send one takes its time
		s.background.Go(func() { reply(msg, s.segment(q.Segment)) })
		return
	}
	reply(msg, s.progress(q.Chunk))
}

func reply(msg *nats.Msg, a answer) {
	if text, err := json.Marshal(&a); err == nil {
		_ = msg.Respond(text)
	}
}

// progress tells a worker, to which a chunk was given a second time, what of it is done.
func (s *session) progress(number uint64) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[number]
	if c == nil {
		return answer{Unknown: true}
	}
	var a answer
	for k := 0; k < len(c.seen); k++ {
		if !c.seen[k] {
			continue
		}
		lo := k
		for k < len(c.seen) && c.seen[k] {
			k++
		}
		a.Skip = append(a.Skip, [2]int{c.first + lo, c.first + k})
	}
	return a
}

var errNoAnswer = errors.New("cluster: the driver does not answer")
