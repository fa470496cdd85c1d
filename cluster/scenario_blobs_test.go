//go:build unix

package cluster_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// carry is a worker for inputs and results of any size, which are sent as they are.
func carry(_ context.Context, in []byte) ([]byte, error) {
	sum := sha256.Sum256(in)
	return append(bytes.Clone(in), sum[:]...), nil
}

func carrierSpec() jobgen.Spec[[]byte, []byte] {
	instance := func() jobgen.Instance[[]byte, []byte] {
		return jobgen.Instance[[]byte, []byte]{Do: carry}
	}
	appendBytes := func(b []byte, v []byte) ([]byte, error) { return append(b, v...), nil }
	readBytes := func(b []byte) (v, rest []byte, err error) { return bytes.Clone(b), nil, nil }
	return jobgen.Spec[[]byte, []byte]{
		Name: "github.com/jobgen/jobgen/cluster_test.carrier",
		New:  instance,
		Wire: &jobgen.Wire[[]byte, []byte]{
			Fingerprint: 18,
			Config:      func(b []byte) ([]byte, error) { return b, nil },
			Configured:  func([]byte) (func() jobgen.Instance[[]byte, []byte], error) { return instance, nil },
			AppendIn:    appendBytes, ReadIn: readBytes, AppendOut: appendBytes, ReadOut: readBytes,
		},
	}
}

func init() { jobgen.Register(carrierSpec()) }

func carriers(opts ...jobgen.Option) *jobgen.Runner[[]byte, []byte] {
	r := jobgen.NewRunner(carrierSpec(), opts...)
	return &r
}

// Messages that are just small enough, or just too large; large inputs and results; and some that the server has damaged.
func TestScenario12Payload(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{64 << 10, 1 << 20} {
		t.Run(itoa(limit), func(t *testing.T) {
			s := newServer(t, serverConfig{MaxPayload: int32(limit)})
			agents := workers(t, s.url(), 2, 1)
			c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 5 * time.Second})
			var in []deed
			for _, near := range []int{limit / 4, limit / 2, limit / 4 * 3, limit} {
				for size := near - 3; size <= near+3; size++ {
					d := deed{N: len(in), Size: size - len("\"\"\n")} // encoded it has this size
					in = append(in, d, deed{N: len(in) + 1, Text: text(size, deed{N: len(in) + 1})})
				}
			}
			// Many that are small, and do not fit in one message.
			for range 200 {
				in = append(in, deed{N: len(in), Text: text(limit/16, deed{N: len(in)}), Size: limit / 16})
			}
			out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
			check(t, in, out, err)
			nothingLeft(t, c)
			noProcessLeft(t, agents...)
		})
	}

	t.Run("large", func(t *testing.T) {
		size := 50 << 20
		if os.Getenv("JOBGEN_SLOW_TESTS") != "" && !raceEnabled {
			size = 1 << 30
		}
		s := newServer(t, serverConfig{})
		agents := workers(t, s.url(), 1, 1)
		c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 5 * time.Second})
		in := [][]byte{make([]byte, size)}
		random := rand.New(rand.NewPCG(12, 12))
		for i := 0; i < size; i += 1 << 10 {
			in[0][i] = byte(random.Uint32())
		}
		out, err := carriers(jobgen.On(c)).Run(limited(t), in)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := carry(context.Background(), in[0])
		if !bytes.Equal(out[0], want) {
			t.Error("the result is another one")
		}
		nothingLeft(t, c)
		noProcessLeft(t, agents...)
	})

	t.Run("same content", func(t *testing.T) { // as inputs and as results, of many jobs
		s := newServer(t, serverConfig{})
		agents := workers(t, s.url(), 2, 2)
		c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: 5 * time.Second})
		in := deeds(60, 0)
		for i := range in {
			in[i] = deed{N: 7, Load: bytes.Repeat([]byte{7}, 300<<10), Size: 300 << 10}
		}
		out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
		check(t, in, out, err)
		nothingLeft(t, c)
		noProcessLeft(t, agents...)
	})

	for _, v := range []struct {
		name   string
		damage func(ctx context.Context, store jetstream.ObjectStore, o *jetstream.ObjectInfo) error
	}{
		{"damaged input", func(ctx context.Context, store jetstream.ObjectStore, o *jetstream.ObjectInfo) error {
			_, err := store.PutBytes(ctx, o.Name, []byte("damaged"))
			return err
		}},
		{"lost input", func(ctx context.Context, store jetstream.ObjectStore, o *jetstream.ObjectInfo) error {
			return store.Delete(ctx, o.Name)
		}},
	} {
		t.Run(v.name, func(t *testing.T) {
			s := newServer(t, serverConfig{})
			c, log := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
			js := raw(t, s.url())
			in := deeds(12, 0)
			for i := range in {
				in[i].Load = bytes.Repeat([]byte{byte(i)}, 2<<20)
			}
			var agents []*process
			over := make(chan struct{})
			go func() { // there are no workers until it is damaged
				defer close(over)
				eventually(t, "stored inputs", func() bool {
					store, objects := runObjects(js)
					if len(objects) < len(in) {
						return false
					}
					for _, o := range objects[:3] {
						if err := v.damage(context.Background(), store, o); err != nil {
							t.Error(err)
						}
					}
					return true
				})
				agents = workers(t, s.url(), 2, 1)
			}()
			out, err := hazards(hazard{}, jobgen.On(c), jobgen.Workers(len(in))).Run(limited(t), in)
			<-over
			check(t, in, out, err)
			if !log.has("cannot read the inputs of a chunk") {
				t.Error("nothing was noticed")
			}
			nothingLeft(t, c)
			noProcessLeft(t, agents...)
		})
	}
	t.Run("lost results", func(t *testing.T) {
		s := newServer(t, serverConfig{})
		agents := workers(t, s.url(), 2, 1)
		js := raw(t, s.url())
		in := deeds(40, 5*time.Millisecond)
		for i := range in {
			in[i].Size = 2 << 20
		}
		stop, over := make(chan struct{}), make(chan struct{})
		lost := 0
		go func() {
			defer close(over)
			for lost < 5 {
				store, objects := runObjects(js)
				for _, o := range objects {
					if lost < 5 && store.Delete(context.Background(), o.Name) == nil {
						lost++
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		c, log := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
		out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
		close(stop)
		<-over
		check(t, in, out, err)
		t.Logf("%d results deleted, noticed: %t", lost, log.has("its job is run again"))
		nothingLeft(t, c)
		noProcessLeft(t, agents...)
	})
}

// text makes a job's text so long that the job is encoded in size bytes.
func text(size int, d deed) string {
	d.Text = "x"
	b, err := appendLine(nil, d)
	if err != nil {
		panic(err)
	}
	return strings.Repeat("x", size-len(b)+1)
}

// runObjects returns the objects of the run that is under way.
func runObjects(js jetstream.JetStream) (store jetstream.ObjectStore, all []*jetstream.ObjectInfo) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	names := js.ObjectStoreNames(ctx)
	for name := range names.Name() {
		if !strings.HasPrefix(name, "JG_BLOB_") {
			continue
		}
		var err error
		if store, err = js.ObjectStore(ctx, name); err != nil {
			continue
		}
		if all, err = store.List(ctx); err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
			all = nil
		}
	}
	return store, all
}
