package cluster

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func digestOf(b []byte) [32]byte { return sha256.Sum256(b) }

// blobs are the large things of a run, in its bucket on the server. What has the same content is there once.
type blobs struct {
	conn *conn

	mu    sync.Mutex
	store jetstream.ObjectStore
	held  map[[32]byte]*heldPart
}

// heldPart is a part that this process has put there.
type heldPart struct {
	once sync.Mutex // held while it is put, or removed
	put  bool
	when time.Time // it was put last
	uses int       // by chunks that are under way
	kept bool      // used more than once: it stays until the run ends
}

func newBlobs(c *conn, store jetstream.ObjectStore) *blobs {
	return &blobs{conn: c, store: store, held: map[[32]byte]*heldPart{}}
}

func (s *blobs) bucket() jetstream.ObjectStore {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store
}

// renew says that the server has lost the bucket, and which one there is instead. What is still needed is put there when
// it is asked for.
func (s *blobs) renew(store jetstream.ObjectStore) {
	s.mu.Lock()
	s.store = store
	all := make([]*heldPart, 0, len(s.held))
	for _, h := range s.held {
		all = append(all, h)
	}
	s.mu.Unlock()
	for _, h := range all {
		h.once.Lock()
		h.put = false
		h.once.Unlock()
	}
}

// put stores b, and returns where it is.
func (s *blobs) put(ctx context.Context, b []byte) (*blobRef, error) {
	ref := &blobRef{Size: int64(len(b))}
	for part := range parts(b) {
		p := digestOf(part)
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
		ref.Parts = append(ref.Parts, p)
	}
	if err := s.ensure(ctx, ref, b, false); err != nil {
		s.release(ref)
		return nil, err
	}
	return ref, nil
}

// parts takes b apart.
func parts(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(len(b), partBytes)
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// damagedAgain is how old a part is that is put once more because somebody could not read it.
const damagedAgain = time.Second

// ensure puts what is not there of a blob that is in use; if somebody could not read it, all of it.
func (s *blobs) ensure(ctx context.Context, ref *blobRef, b []byte, damaged bool) error {
	i := 0
	for part := range parts(b) {
		s.mu.Lock()
		h := s.held[ref.Parts[i]]
		s.mu.Unlock()
		h.once.Lock()
		var err error
		if !h.put || damaged && time.Since(h.when) > damagedAgain {
			if err = s.store1(ctx, ref.object(i), part); err == nil {
				h.put, h.when = true, time.Now()
			}
		}
		h.once.Unlock()
		if err != nil {
			return err
		}
		i++
	}
	return nil
}

// onceRef is of what is put without looking whether it is there already.
func onceRef(b []byte) *blobRef {
	var salt [8]byte
	_, _ = rand.Read(salt[:])
	return &blobRef{Size: int64(len(b)), Salt: binary.LittleEndian.Uint64(salt[:]) | 1}
}

// putOnce stores b, and notes in ref where it is. Called again after a failure it goes on with the part that was not stored.
func (s *blobs) putOnce(ctx context.Context, ref *blobRef, b []byte) error {
	i := 0
	for part := range parts(b) {
		if i++; i <= len(ref.Parts) {
			continue
		}
		ref.Parts = append(ref.Parts, digestOf(part))
		if err := s.store1(ctx, ref.object(i-1), part); err != nil {
			ref.Parts = ref.Parts[:i-1]
			return err
		}
	}
	return nil
}

// store1 stores one object.
func (s *blobs) store1(ctx context.Context, name string, b []byte) error {
	size := uint32(min(128<<10, s.conn.nc.MaxPayload()/2))
	meta := jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: size}}
	return s.conn.doLong(ctx, fmt.Sprintf("storing %d bytes", len(b)), func(ctx context.Context) error {
		return s.conn.transfer(ctx, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, partTime) // the library waits for ever for an answer that was lost
			defer cancel()
			_, err := s.bucket().Put(ctx, meta, wholeReader{bytes.NewReader(b)})
			return err
		})
	})
}

// release says that a blob is not needed any more by the one who has put it.
func (s *blobs) release(ref *blobRef) {
	for i, p := range ref.Parts {
		s.mu.Lock()
		h := s.held[p]
		h.uses--
		last := h.uses == 0 && !h.kept
		s.mu.Unlock()
		if last {
			s.remove(h, p, ref.object(i))
		}
	}
}

// remove removes a part that nobody needs. Who needs it again meanwhile waits, and puts it anew.
func (s *blobs) remove(h *heldPart, p [32]byte, name string) {
	h.once.Lock()
	defer h.once.Unlock()
	unused := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return h.uses == 0 && s.held[p] == h
	}
	if !unused() {
		return
	}
	if h.put {
		h.put = false
		s.drop(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.uses == 0 {
		delete(s.held, p)
	}
}

// drop removes an object from the server. What fails to be removed goes with the bucket.
//
// The library's Delete would store that it is gone, for which a full store has no room. The names of the stream and of the
// subjects are those of the object stores of all of NATS' clients (its design ADR-20).
func (s *blobs) drop(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	info, err := s.bucket().GetInfo(ctx, name)
	if err != nil {
		return
	}
	stream, err := s.conn.js.Stream(ctx, "OBJ_"+info.Bucket)
	if err != nil {
		return
	}
	for _, subject := range []string{
		"$O." + info.Bucket + ".C." + info.NUID,
		"$O." + info.Bucket + ".M." + base64.URLEncoding.EncodeToString([]byte(name)),
	} {
		_ = stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
	}
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

// getPart fetches a part, and tries again while the server is away or sends something else.
func (s *blobs) getPart(ctx context.Context, ref *blobRef, i int) ([]byte, error) {
	const tries = 3
	name, began := ref.object(i), time.Now()
	for try := 1; ; try++ {
		var part []byte
		err := s.conn.doLong(ctx, "fetching "+name, func(ctx context.Context) error {
			return s.conn.transfer(ctx, func(ctx context.Context) (err error) {
				part, err = readObject(ctx, s.bucket(), name)
				return err
			})
		})
		if err == nil && digestOf(part) != ref.Parts[i] {
			err = jetstream.ErrDigestMismatch
		}
		switch {
		case err == nil:
			return part, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case isLost(err) && try >= tries, !isLost(err) && !passing(err), time.Since(began) > serverGone:
			return nil, explain("fetching "+name, err)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// readObject reads an object. The library waits for each piece of it until the deadline of the context, and sees only then
// that the context has ended; so it is told of one that is near, again and again.
//
// It is told of the end itself a little late: between the first piece and the server's answer it would leave a goroutine behind that waits for
// somebody to take the piece (nats.go 1.55.0, Get in jetstream/object.go).
func readObject(ctx context.Context, store jetstream.ObjectStore, name string) ([]byte, error) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })
	defer stop()
	object, err := store.Get(impatient{patient}, name)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	defer object.Close()
	info, err := object.Info()
	if err != nil {
		return nil, err
	}
	if info.Size > partBytes {
		return nil, jetstream.ErrDigestMismatch
	}
	b := make([]byte, info.Size+1) // the last byte is for the end, where the digest is checked
	n, last := 0, time.Now()
	for {
		k, err := object.Read(b[n:])
		n += k
		if k > 0 {
			last = time.Now()
		}
		var late net.Error
		switch {
		case errors.Is(err, io.EOF):
			return b[:n], nil
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &late) && late.Timeout():
			if time.Since(last) > apiTimeout { // some of its messages are gone
				return nil, fmt.Errorf("%w: %d of %d bytes came", errIncomplete, n, info.Size)
			}
		case err != nil:
			return nil, err
		case n == len(b):
			return nil, jetstream.ErrDigestMismatch
		}
	}
}

// impatient is a context whose deadline is always near.
type impatient struct{ context.Context }

func (impatient) Deadline() (time.Time, bool) { return time.Now().Add(250 * time.Millisecond), true }

// errIncomplete is of an object of which the server sends only a part.
var errIncomplete = errors.New("it is not complete")

// isLost reports whether an object is not there, or is not what was put there. No patience helps then.
func isLost(err error) bool {
	return errors.Is(err, jetstream.ErrObjectNotFound) || errors.Is(err, jetstream.ErrDigestMismatch) || isGone(err) ||
		errors.Is(err, errIncomplete) || errors.Is(err, jetstream.ErrBadObjectMeta) || errors.Is(err, io.ErrUnexpectedEOF)
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
