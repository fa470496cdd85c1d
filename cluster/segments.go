package cluster

import (
	"encoding/json"
	"sync"

	"github.com/jobgen/jobgen/sharedmem"
)

// segmentTable holds the segments of shared memory that were sent to the server, because handles in jobs lead to them.
// Each is sent once in a run: what is changed in an array while the run is under way does not reach its workers.
type segmentTable struct {
	mu   sync.Mutex
	sent map[uint64]*sentSegment
}

type sentSegment struct {
	once   sync.Once
	answer answer
}

// forget has all segments sent once more to those who ask.
func (t *segmentTable) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.sent)
}

// lost has a segment sent once more.
func (t *segmentTable) lost(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sent, id)
}

// segment has a segment sent, and says where it is.
func (s *session) segment(id uint64) answer {
	t := &s.segments
	t.mu.Lock()
	if t.sent == nil {
		t.sent = map[uint64]*sentSegment{}
	}
	one := t.sent[id]
	if one == nil {
		one = &sentSegment{}
		t.sent[id] = one
	}
	t.mu.Unlock()
	one.once.Do(func() {
		err := sharedmem.ReadSegment(id, func(info sharedmem.Segment, memory []byte) error {
			ref, err := s.blobs.put(s.ctx, memory)
			if err != nil {
				return err
			}
			one.answer.Blob = ref.append(nil)
			one.answer.Segment, err = json.Marshal(info)
			return err
		})
		if err != nil {
			one.answer = answer{Err: err.Error()}
		}
	})
	if one.answer.Err != "" { // it may go better the next time
		t.mu.Lock()
		if t.sent[id] == one {
			delete(t.sent, id)
		}
		t.mu.Unlock()
	}
	return one.answer
}
