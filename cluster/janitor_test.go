package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The janitor removes the runs of drivers that are dead: unnamed ones soon, named ones when nobody has taken them up.
func TestJanitor(t *testing.T) {
	ctx := context.Background()
	c, err := Embedded(ctx, EmbeddedOptions{Workers: -1, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := openBuckets(ctx, c.conn, 1)
	if err != nil {
		t.Fatal(err)
	}
	for run, l := range map[string]lease{
		"plain": {Driver: "gone"},
		"named": {Driver: "gone", Named: true, Keep: time.Hour},
	} {
		if _, err := b.runs.Put(ctx, leaseKey(run), encode(l)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{workStream(run), resultStream(run)} {
			if _, err := c.conn.js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{"test." + name}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.conn.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: blobBucket(run)}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.runs.Put(ctx, manifestKey(run), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	left := func(run string) (n int) {
		for _, name := range []string{workStream(run), resultStream(run), "OBJ_" + blobBucket(run)} {
			if _, err := c.conn.js.Stream(ctx, name); err == nil {
				n++
			}
		}
		for _, key := range []string{leaseKey(run), manifestKey(run)} {
			if _, err := b.runs.Get(ctx, key); err == nil {
				n++
			}
		}
		return n
	}
	now := time.Now()
	for _, step := range []struct {
		after        time.Duration
		plain, named int
	}{
		{time.Second, 5, 5},
		{unnamedKept + time.Minute, 0, 5},
		{2 * time.Hour, 0, 0},
	} {
		tidy(ctx, c.conn, b.runs, now.Add(step.after))
		if p, n := left("plain"), left("named"); p != step.plain || n != step.named {
			t.Errorf("after %v there are %d things of the unnamed run and %d of the named one, want %d and %d", step.after, p, n, step.plain, step.named)
		}
	}
}
