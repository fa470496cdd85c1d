package cluster

import "context"

// parcel is a chunk on its way to the server: its message, and what is too large for that.
type parcel struct {
	session *session
	call    *chunkCall
	attempt int
	jobs    [][]byte // inputs

	refs    []*blobRef // of the large ones, nil for the others
	message []byte
}

// store stores the chunk, and what of it is not stored any more.
func (p *parcel) store(ctx context.Context) error {
	c := p.call
	c.mu.Lock()
	damaged, stored := c.damaged, c.sequence > 0
	c.damaged = false
	c.mu.Unlock()
	if err := p.pack(ctx, damaged); err != nil {
		return err
	}
	if damaged && stored {
		return nil // the message is still there
	}
	return p.session.publish(ctx, c, p.message)
}

// pack puts the large inputs where workers find them, and makes the message.
func (p *parcel) pack(ctx context.Context, damaged bool) error {
	s := p.session
	if p.message == nil {
		p.refs = make([]*blobRef, len(p.jobs))
	}
	m := chunkMessage{Epoch: s.epoch, Number: p.call.number, First: p.call.first, Attempt: p.attempt, Digests: s.named}
	for i, b := range p.jobs {
		in := jobInput{Bytes: b}
		if p.refs[i] != nil || p.message == nil && len(b) > s.conn.inline() {
			err := s.persist(ctx, "storing the inputs of run "+s.run, func() (err error) {
				if p.refs[i] != nil {
					return s.blobs.ensure(ctx, p.refs[i], b, damaged)
				}
				p.refs[i], err = s.blobs.put(ctx, b)
				return err
			})
			if err != nil {
				return err
			}
			in.Blob = p.refs[i]
		}
		m.Inputs = append(m.Inputs, in)
	}
	if p.message == nil {
		p.message = m.append(nil)
	}
	return nil
}

// release says that the large inputs are not needed any more.
func (p *parcel) release() {
	for _, ref := range p.refs {
		if ref != nil {
			p.session.blobs.release(ref)
		}
	}
}
