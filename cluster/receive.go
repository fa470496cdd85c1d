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

// consume begins to read results, or does so anew.
func (s *session) consume(ctx context.Context) error {
	s.structure.Lock()
	if s.reading != nil {
		s.reading.Stop()
	}
	s.structure.Unlock()
	return s.conn.again(ctx, "reading the results of run "+s.run, func(ctx context.Context) error {
		cfg := jetstream.ConsumerConfig{
			Name: readConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second, MaxAckPending: 65536,
			DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: time.Hour, Replicas: s.opts.Replicas,
		}
		results := s.resultStream()
		// What was there before is read when it is asked for. A server that came back with an older copy of its store has less.
		if last := min(s.past.lastMessage(), results.CachedInfo().State.LastSeq); last > 0 {
			cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, last+1
		}
		if s.named || s.slots != nil { // one that is there is another driver's, or begins elsewhere
			if err := results.DeleteConsumer(ctx, readConsumer); err != nil && !isGone(err) {
				return err
			}
		}
		consumer, err := results.CreateOrUpdateConsumer(ctx, cfg)
		if err != nil {
			return err
		}
		s.heard.Store(time.Now().UnixNano())
		reading, err := consumer.Consume(s.receive, jetstream.PullMaxMessagesWithBytesLimit(256, 8<<20),
			jetstream.PullExpiry(5*time.Second), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
				if isGone(err) {
					select {
					case s.gone <- struct{}{}: // for reconcile to find out
					default:
					}
				}
			}))
		if err != nil {
			return err
		}
		s.structure.Lock()
		defer s.structure.Unlock()
		if s.reading = reading; s.ctx.Err() != nil {
			reading.Stop()
		}
		return nil
	})
}

func (s *session) resultStream() jetstream.Stream {
	s.structure.Lock()
	defer s.structure.Unlock()
	return s.results
}

// receive takes one message of results to the chunk whose they are.
func (s *session) receive(msg jetstream.Msg) {
	r, err := readResult(msg.Data())
	if err == nil && r.Epoch > s.epoch && s.named {
		// This driver was thought dead, and another one is about to miss what it gets.
		_ = msg.Nak()
		s.spawn(func() {
			if err := s.fenced(nil); err != nil {
				s.fail(err)
			}
		})
		return
	}
	defer func() { _ = msg.Ack() }() // one that is not taken is a duplicate, or of a driver before
	if err != nil {
		s.log.Warn("a message of results is damaged, and ignored", "run", s.run, "error", err)
		return
	}
	if r.Epoch != s.epoch {
		return
	}
	s.heard.Store(time.Now().UnixNano())
	s.mu.Lock()
	c := s.calls[r.Number]
	s.takesPart(r.Agent)
	s.mu.Unlock()
	if c == nil {
		s.count(duplicateResults, len(r.Dones))
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

// tell tells all workers of the run. It is a hint that may be lost. It returns when a server has it.
func (s *session) tell(ctx context.Context, c control) {
	c.Epoch = s.epoch
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	_ = s.conn.nc.Publish(controlSubject(s.run), encode(c))
	_ = s.conn.nc.FlushWithContext(ctx)
}

// takesPart notes that an agent has workers for the run. s.mu is held.
func (s *session) takesPart(agent string) {
	s.served[agent] = true
	if state, known := s.agents[agent]; !known || state == agentClosed && !s.ending {
		s.agents[agent] = agentTakesPart
	}
}

// told takes an event. Those of other epochs are of what was begun for another driver.
func (s *session) told(msg *nats.Msg) {
	var e event
	if json.Unmarshal(msg.Data, &e) != nil || e.Epoch != s.epoch {
		return
	}
	switch e.Kind {
	case eventStarted:
		s.mu.Lock()
		s.takesPart(e.Agent)
		s.mu.Unlock()
		s.task.WorkerStarted(workerName(e.Agent, e.Worker))
	case eventLost:
		s.task.WorkerLost(workerName(e.Agent, e.Worker), jobgen.ReadError(e.Err))
	case eventLog:
		jobgen.ForwardRecord(s.task.Logger, e.Record)
	case eventFull:
		s.noRoom(&e)
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
	if json.Unmarshal(msg.Data, &q) != nil || q.Epoch != s.epoch {
		return
	}
	switch {
	case q.Segment != 0: // to send one takes its time
		if q.Lost {
			s.segments.lost(q.Segment)
		}
		s.spawn(func() { reply(msg, s.segment(q.Segment)) })
	case q.Config && q.Lost:
		s.spawn(func() {
			s.rebuild.Lock()
			defer s.rebuild.Unlock()
			var a answer
			if err := s.putConfig(s.ctx); err != nil {
				a.Err = err.Error()
			}
			reply(msg, a)
		})
	case q.Lost:
		s.inputsLost(q.Chunk)
		reply(msg, answer{})
	default:
		reply(msg, s.progress(q.Chunk))
	}
}

// inputsLost has a chunk sent again, some inputs of which a worker could not read.
func (s *session) inputsLost(number uint64) {
	s.mu.Lock()
	c := s.calls[number]
	s.mu.Unlock()
	if c == nil {
		return
	}
	s.log.Warn("a worker cannot read the inputs of a chunk; they are stored again", "run", s.run, "chunk", number)
	c.mu.Lock()
	c.damaged = true
	c.mu.Unlock()
	c.sendAgain()
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
