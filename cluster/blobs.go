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

	"github.com/nats-io/nats.go/jetstream"
)

func digestOf(b []byte) [32]byte { return sha256.Sum256(b) }

// blobs are the large things of a run, in its bucket on the server. Inputs of the same content are there once.
type blobs struct {
	store jetstream.ObjectStore

	mu   sync.Mutex
	held map[[32]byte]*heldPart
}

// heldPart is a part of inputs that this process has put there.
type heldPart struct {
	uses int  // by chunks that are under way
	kept bool // used more than once: it stays until the run ends

	object sync.Mutex // held while the object is put or removed
	there  bool
}

func newBlobs(store jetstream.ObjectStore) *blobs {
	return &blobs{store: store, held: map[[32]byte]*heldPart{}}
}

// put stores an input, and returns where it is.
func (s *blobs) put(ctx context.Context, b []byte) (*blobRef, error) {
	ref := &blobRef{Size: int64(len(b))}
	for part := range slices.Chunk(b, partBytes) {
		p := digestOf(part)
		ref.Parts = append(ref.Parts, p)
		if err := s.putPart(ctx, ref, len(ref.Parts)-1, s.use(p), part); err != nil {
			s.release(ref)
			return nil, err
		}
	}
	return ref, nil
}

// use notes that a part is needed.
func (s *blobs) use(p [32]byte) *heldPart {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held[p]
	if h == nil {
		h = &heldPart{}
		s.held[p] = h
	} else {
		h.kept = true
	}
	h.uses++
	return h
}

func (s *blobs) putPart(ctx context.Context, ref *blobRef, i int, h *heldPart, b []byte) error {
	h.object.Lock()
	defer h.object.Unlock()
	if h.there {
		return nil
	}
	if err := s.putObject(ctx, ref.part(i), b); err != nil {
		return err
	}
	h.there = true
	return nil
}

// putObject stores one object.
func (s *blobs) putObject(ctx context.Context, name string, b []byte) error {
	_, err := s.store.Put(ctx, jetstream.ObjectMeta{Name: name}, wholeReader{bytes.NewReader(b)})
	return explain(fmt.Sprintf("storing %d bytes", len(b)), err)
}

// putResult stores a result, for whoever reads it to remove.
func (s *blobs) putResult(ctx context.Context, b []byte) (*blobRef, error) {
	ref := &blobRef{Size: int64(len(b)), Tag: rand.Uint64() | 1}
	for part := range slices.Chunk(b, partBytes) {
		ref.Parts = append(ref.Parts, digestOf(part))
		if err := s.putObject(ctx, ref.part(len(ref.Parts)-1), part); err != nil {
			return nil, err
		}
	}
	return ref, nil
}

// restore stores those parts of an input again that the server has lost.
func (s *blobs) restore(ctx context.Context, ref *blobRef, b []byte) error {
	i := 0
	for part := range slices.Chunk(b, partBytes) {
		s.mu.Lock()
		h := s.held[ref.Parts[i]]
		s.mu.Unlock()
		if h != nil {
			h.object.Lock()
			if _, err := s.store.GetInfo(ctx, ref.part(i)); errors.Is(err, jetstream.ErrObjectNotFound) {
				h.there = false
			}
			h.object.Unlock()
			if err := s.putPart(ctx, ref, i, h, part); err != nil {
				return err
			}
		}
		i++
	}
	return nil
}

// release says that an input is not needed any more by the one who has put it.
func (s *blobs) release(ref *blobRef) {
	for i, p := range ref.Parts {
		s.mu.Lock()
		h := s.held[p]
		h.uses--
		idle := h.uses == 0 && !h.kept
		s.mu.Unlock()
		if idle {
			s.removeIdle(ref, i, h)
		}
	}
}

// removeIdle removes a part, unless somebody has come to need it meanwhile.
func (s *blobs) removeIdle(ref *blobRef, i int, h *heldPart) {
	h.object.Lock()
	defer h.object.Unlock()
	s.mu.Lock()
	idle := h.uses == 0 && !h.kept
	s.mu.Unlock()
	if idle && h.there {
		s.remove(ref.part(i))
		h.there = false
	}
}

// drop removes a result that was read.
func (s *blobs) drop(ref *blobRef) {
	for i := range ref.Parts {
		s.remove(ref.part(i))
	}
}

// remove removes an object. What fails to be removed goes with the bucket.
func (s *blobs) remove(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	_ = s.store.Delete(ctx, name)
}

// get returns a blob. The store checks each part against its digest; one that does not fit is fetched again.
func (s *blobs) get(ctx context.Context, ref *blobRef) ([]byte, error) {
	b := make([]byte, 0, min(ref.Size, 1<<30))
	for i := range ref.Parts {
		part, err := s.getPart(ctx, ref, i)
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

func (s *blobs) getPart(ctx context.Context, ref *blobRef, i int) ([]byte, error) {
	const tries = 3
	for try := 1; ; try++ {
		part, err := s.store.GetBytes(ctx, ref.part(i))
		if err == nil && digestOf(part) != ref.Parts[i] {
			err = jetstream.ErrDigestMismatch
		}
		if err == nil {
			return part, nil
		}
		if try == tries || ctx.Err() != nil || errors.Is(err, jetstream.ErrObjectNotFound) {
			return nil, explain("fetching "+ref.part(i), err)
		}
	}
}

// wholeReader fills what it is given, since the store calls Read once for each of its messages.
type wholeReader struct{ r io.Reader }

func (w wholeReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(w.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}
