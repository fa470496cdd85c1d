package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func digestOf(b []byte) [32]byte { return sha256.Sum256(b) }

// blobs are the large things of a run, in its bucket on the server. What has the same content is there once.
type blobs struct {
	conn  *conn
	store jetstream.ObjectStore

	mu   sync.Mutex
	held map[[32]byte]*heldPart
}

// heldPart is a part that this process has put there.
type heldPart struct {
	once sync.Mutex // held while it is put
	put  bool
	uses int  // by chunks that are under way
	kept bool // used more than once: it stays until the run ends
}

func newBlobs(c *conn, store jetstream.ObjectStore) *blobs {
	return &blobs{conn: c, store: store, held: map[[32]byte]*heldPart{}}
}

// put stores b, and returns where it is.
func (s *blobs) put(ctx context.Context, b []byte) (*blobRef, error) {
	ref := &blobRef{Size: int64(len(b))}
	for len(b) > 0 {
		n := min(len(b), partBytes)
		p := digestOf(b[:n])
		if err := s.putPart(ctx, p, b[:n]); err != nil {
			s.release(ref)
			return nil, err
		}
		ref.Parts = append(ref.Parts, p)
		b = b[n:]
	}
	return ref, nil
}

func (s *blobs) putPart(ctx context.Context, p [32]byte, b []byte) error {
	s.mu.Lock()
	h := s.held[p]
	if h == nil {
		h = &heldPart{}
		s.held[p] = h
	} else {
		h.kept = true
	}
	h.uses++
	s.mu.Unlock()
	h.once.Lock()
	defer h.once.Unlock()
	if h.put {
		return nil
	}
	if err := s.storeObject(ctx, partName(p), b); err != nil {
		s.mu.Lock()
		h.uses--
		s.mu.Unlock()
		return err
	}
	h.put = true
	return nil
}

func (s *blobs) storeObject(ctx context.Context, name string, b []byte) error {
	return s.conn.doLong(ctx, fmt.Sprintf("storing %d bytes", len(b)), func(ctx context.Context) error {
		_, err := s.store.Put(ctx, jetstream.ObjectMeta{Name: name}, wholeReader{bytes.NewReader(b)})
		return err
	})
}

// putOnly stores a result, and returns where it is. Its reader removes it then, so that it must not share anything with
// others that have the same content.
func (s *blobs) putOnly(ctx context.Context, b []byte) (*blobRef, error) {
	ref := &blobRef{Size: int64(len(b)), Only: rand.Uint64() | 1}
	for part := range slices.Chunk(b, partBytes) {
		p := digestOf(part)
		if err := s.storeObject(ctx, ref.object(p), part); err != nil {
			return nil, err
		}
		ref.Parts = append(ref.Parts, p)
	}
	return ref, nil
}

// release says that a blob is not needed any more by the one who has put it.
func (s *blobs) release(ref *blobRef) {
	for _, p := range ref.Parts {
		s.mu.Lock()
		h := s.held[p]
		last := false
		if h != nil {
			h.uses--
			last = h.uses == 0 && !h.kept
		}
		s.mu.Unlock()
		if last {
			s.dropPart(h, p)
		}
	}
}

// dropPart removes a part from the server, unless somebody has come to need it. Who comes meanwhile puts it there again.
func (s *blobs) dropPart(h *heldPart, p [32]byte) {
	h.once.Lock()
	defer h.once.Unlock()
	unused := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return h.uses == 0 && !h.kept
	}
	if h.put && unused() {
		s.drop(partName(p))
		h.put = false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.uses == 0 && !h.put && s.held[p] == h {
		delete(s.held, p)
	}
}

// drop removes an object from the server. What fails to be removed goes with the bucket.
func (s *blobs) drop(object string) {
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	_ = s.store.Delete(ctx, object)
}

// get returns a blob. The store checks each part against its digest; one that does not fit is fetched again.
func (s *blobs) get(ctx context.Context, ref *blobRef) ([]byte, error) {
	b := make([]byte, 0, min(ref.Size, 1<<30))
	for _, p := range ref.Parts {
		part, err := s.getPart(ctx, ref, p)
		if err != nil {
			return nil, err
		}
		b = append(b, part...)
	}
	if int64(len(b)) != ref.Size {
		return nil, fmt.Errorf("cluster: a blob has %d bytes, not %d", len(b), ref.Size)
	}
	return b, nil
}

func (s *blobs) getPart(ctx context.Context, ref *blobRef, p [32]byte) (part []byte, err error) {
	const tries = 3
	for try := 1; ; try++ {
		err := s.conn.doLong(ctx, "fetching "+ref.object(p), func(ctx context.Context) (err error) {
			ctx, cancel := context.WithTimeout(ctx, partTime)
			defer cancel()
			part, err = s.store.GetBytes(attentive{ctx}, ref.object(p))
			if err == nil && digestOf(part) != p {
				err = jetstream.ErrDigestMismatch
			}
			return err
		})
		if err == nil {
			return part, nil
		}
		if try == tries || ctx.Err() != nil || errors.Is(err, jetstream.ErrObjectNotFound) || errors.Is(err, ErrPermission) {
			return nil, err
		}
	}
}

// partTime is how long a part may be on its way: 16 MiB over a slow network.
const partTime = time.Minute

// attentive is a context with which reads from the store look now and then whether it has ended. They wait until its
// deadline otherwise, and for five seconds in all if it has none.
type attentive struct{ context.Context }

func (attentive) Deadline() (time.Time, bool) { return time.Now().Add(500 * time.Millisecond), true }

// wholeReader fills what it is given, since the store calls Read once for each of its messages.
type wholeReader struct{ r io.Reader }

func (w wholeReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(w.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}
