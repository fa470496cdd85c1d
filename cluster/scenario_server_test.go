//go:build unix

package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// raw is a connection to a server that is no part of any run.
func raw(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// presences counts the workers that say that they are there.
func presences(t *testing.T, s *natsServer) (n int) {
	t.Helper()
	nc, err := nats.Connect(s.url())
	if err != nil {
		return 0
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second))
	if err != nil {
		return 0
	}
	kv, err := js.KeyValue(context.Background(), "JG_WORKERS")
	if err != nil {
		return 0
	}
	keys, err := kv.ListKeys(context.Background())
	if err != nil {
		return 0
	}
	for key := range keys.Keys() {
		if e, err := kv.Get(context.Background(), key); err == nil && time.Since(e.Created()) < 3*time.Second {
			n++
		}
	}
	return n
}

// The server is killed while a run is under way, and comes back with what it had stored, or without.
func TestScenario04ServerDies(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		name  string
		empty bool
		big   bool // large inputs, results and configuration
		named bool
		slow  bool
	}{
		{"same store", false, false, false, true},
		{"same store, large", false, true, true, false},
		{"empty store", true, false, false, true},
		{"empty store, large", true, true, false, false},
		{"empty store, a name", true, false, true, false},
	} {
		t.Run(v.name, func(t *testing.T) {
			if v.slow {
				slow(t)
			}
			s := newServer(t, serverConfig{})
			agents := workers(t, s.url(), 2, 2)
			c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
			h, in := hazard{Dir: t.TempDir()}, deeds(150, 20*time.Millisecond)
			if v.big {
				h.Big = bytes.Repeat([]byte("configuration"), 40_000)
				for i := range in {
					if i%5 == 0 {
						in[i].Load = bytes.Repeat([]byte{byte(i)}, 300<<10)
						in[i].Size = 300 << 10
					}
				}
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				for k := range 2 {
					eventually(t, "some jobs", func() bool { return begun(t, h.Dir, len(in)) > 30+40*k })
					s.process.kill()
					if v.empty {
						s.empty()
					}
					s.start()
					s.ready()
				}
			}()
			on := jobgen.Backend(c)
			if v.named {
				on = c.Resumable("name")
			}
			out, err := hazards(h, jobgen.On(on)).Run(limited(t), in)
			<-over
			check(t, in, out, err)
			if n := c.Stats(); v.empty && n.Remade == 0 {
				t.Errorf("the run was not made anew: %+v", n)
			}
			// The same workers serve the next run.
			out, err = hazards(hazard{}, jobgen.On(c)).Run(limited(t), in[:10])
			check(t, in[:10], out, err)
			nothingLeft(t, c)
			noProcessLeft(t, agents...)
		})
	}
	t.Run("for ever", func(t *testing.T) {
		slow(t)
		s := newServer(t, serverConfig{})
		agents := workers(t, s.url(), 1, 1)
		c, _ := connect(t, s.url(), cluster.Options{})
		h, in := hazard{Dir: t.TempDir()}, deeds(100, 50*time.Millisecond)
		go func() {
			eventually(t, "some jobs", func() bool { return begun(t, h.Dir, len(in)) > 10 })
			s.process.kill()
		}()
		_, err := hazards(h, jobgen.On(c)).Run(limited(t), in)
		if !errors.Is(err, cluster.ErrUnreachable) || !strings.Contains(err.Error(), "driving run") && !strings.Contains(err.Error(), "of run") {
			t.Errorf("the run ended with %v", err)
		}
		for _, a := range agents {
			a.kill()
		}
	})
}

// trio is three servers that are one cluster.
func trio(t *testing.T) []*natsServer {
	t.Helper()
	var all []*natsServer
	var routes []string
	for range 3 {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", freePort(t)))
	}
	for i := range 3 {
		var port int
		if _, err := fmt.Sscanf(routes[i], "nats://127.0.0.1:%d", &port); err != nil {
			t.Fatal(err)
		}
		s := &natsServer{t: t, config: serverConfig{
			Name: fmt.Sprintf("s%d", i), Port: freePort(t), StoreDir: t.TempDir(), MaxStore: 8 << 30, ClusterPort: port, Routes: routes,
		}}
		s.start()
		all = append(all, s)
	}
	for _, s := range all {
		s.ready()
	}
	whole(t, all)
	return all
}

// whole waits until the servers' leader knows all three of them, so that it can place three copies.
func whole(t *testing.T, all []*natsServer) {
	t.Helper()
	js := raw(t, all[0].url())
	eventually(t, "a stream on all three", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "probe", Replicas: 3})
		return err == nil
	})
	_ = js.DeleteStream(context.Background(), "probe")
}

// Three servers hold the run. The leader of a stream is killed, or a follower stopped.
func TestScenario05Replicas(t *testing.T) {
	slow(t)
	t.Parallel()
	all := trio(t)
	var urls []string
	byName := map[string]*natsServer{}
	for _, s := range all {
		urls = append(urls, s.url())
		byName[s.config.Name] = s
	}
	url := strings.Join(urls, ",")
	agents := workers(t, url, 2, 2)
	c, _ := connect(t, url, cluster.Options{Replicas: 3})
	// The first driver makes the buckets for which the workers wait.
	in := deeds(1, 0)
	out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
	check(t, in, out, err)
	eventually(t, "both workers", func() bool { return presences(t, all[0]) >= 2 })
	for i, v := range []struct{ name, stream string }{
		{"leader of results killed", "JGR_"},
		{"leader of chunks killed", "JGJ_"},
		{"follower stopped", ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			if i > 0 {
				slow(t)
			}
			c, _ := connect(t, url, cluster.Options{Replicas: 3, WorkerTimeout: 2 * time.Second})
			h, in := hazard{Dir: t.TempDir()}, deeds(200, 20*time.Millisecond)
			var victim *natsServer
			over := make(chan struct{})
			go func() {
				defer close(over)
				eventually(t, "some jobs", func() bool { return begun(t, h.Dir, len(in)) > 30 })
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				prefix := v.stream
				if prefix == "" {
					prefix = "JGR_"
				}
				names := cluster.JetStream(c).StreamNames(ctx)
				for name := range names.Name() {
					if !strings.HasPrefix(name, prefix) {
						continue
					}
					stream, err := cluster.JetStream(c).Stream(ctx, name)
					if err != nil {
						t.Error(err)
						return
					}
					info := stream.CachedInfo()
					if v.stream != "" {
						victim = byName[info.Cluster.Leader]
						victim.process.kill()
						return
					}
					victim = byName[info.Cluster.Replicas[0].Name]
					victim.signal(syscall.SIGSTOP)
				}
			}()
			began := time.Now()
			out, err := hazards(h, jobgen.On(c)).Run(limited(t), in)
			check(t, in, out, err)
			t.Logf("the run took %v", time.Since(began))
			<-over
			if victim == nil {
				t.Fatal("no server was hit")
			}
			if v.stream != "" {
				victim.start()
			} else {
				victim.signal(syscall.SIGCONT)
			}
			victim.ready()
			nothingLeft(t, c)
			whole(t, all)
		})
	}
	noProcessLeft(t, agents...)
}

// There is no room on the server: the run waits for its own workers to make some, or says what to change.
func TestScenario10StoreFull(t *testing.T) {
	t.Parallel()
	const load = 20 << 10
	big := func(n int) []deed {
		in := deeds(n, time.Millisecond)
		for i := range in {
			in[i].Load, in[i].Size = bytes.Repeat([]byte{byte(i)}, load), load
		}
		return in
	}
	t.Run("MaxBytes", func(t *testing.T) {
		s := newServer(t, serverConfig{})
		agents := workers(t, s.url(), 2, 1)
		c, _ := connect(t, s.url(), cluster.Options{MaxBytes: 512 << 10})
		in := big(300) // 12 MB each way
		out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
		check(t, in, out, err)
		nothingLeft(t, c)
		t.Run("a name", func(t *testing.T) { // all results stay until its end
			c, _ := connect(t, s.url(), cluster.Options{MaxBytes: 512 << 10, WorkerTimeout: time.Second})
			_, err := hazards(hazard{}, jobgen.On(c.Resumable("full"))).Run(limited(t), in)
			if !errors.Is(err, cluster.ErrStoreFull) || !strings.Contains(err.Error(), "MaxBytes") {
				t.Errorf("the run ended with %v", err)
			}
			more, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
			out, err := hazards(hazard{}, jobgen.On(more.Resumable("full"))).Run(limited(t), in)
			check(t, in, out, err)
			if more.Stats().Recalled == 0 {
				t.Error("with more room the run began from the start")
			}
			nothingLeft(t, c)
		})
		noProcessLeft(t, agents...)
	})
	t.Run("MaxStore", func(t *testing.T) {
		s := newServer(t, serverConfig{MaxStore: 3 << 20})
		agents := workers(t, s.url(), 2, 1)
		c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
		in := big(300)
		out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
		check(t, in, out, err)
		nothingLeft(t, c)

		// Somebody else has filled it.
		js := raw(t, s.url())
		ctx := context.Background()
		if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "other", Subjects: []string{"other"}}); err != nil {
			t.Fatal(err)
		}
		fill := func() {
			for size := 256 << 10; size > 64; {
				if _, err := js.Publish(ctx, "other", make([]byte, size)); err != nil {
					size /= 2
				}
			}
		}
		fill()
		_, err = hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
		if !errors.Is(err, cluster.ErrStoreFull) || !strings.Contains(err.Error(), "max_file_store") {
			t.Errorf("the run ended with %v", err)
		}
		if err := js.DeleteStream(ctx, "other"); err != nil {
			t.Fatal(err)
		}
		// It is filled in the middle of a run, and emptied again.
		if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "other", Subjects: []string{"other"}}); err != nil {
			t.Fatal(err)
		}
		h := hazard{Dir: t.TempDir()}
		over := make(chan struct{})
		go func() {
			defer close(over)
			eventually(t, "some jobs", func() bool { return begun(t, h.Dir, len(in)) > 50 })
			fill()
			time.Sleep(time.Second)
			if err := js.DeleteStream(ctx, "other"); err != nil {
				t.Error(err)
			}
		}()
		out, err = hazards(h, jobgen.On(c)).Run(limited(t), in)
		<-over
		check(t, in, out, err)
		nothingLeft(t, c)
		noProcessLeft(t, agents...)
	})
	t.Run("embedded", func(t *testing.T) {
		slow(t)
		c := embedded(t, cluster.EmbeddedOptions{Workers: 1, MaxStore: 2 << 20})
		in := big(200)
		out, err := hazards(hazard{}, jobgen.On(c)).Run(limited(t), in)
		check(t, in, out, err)
		nothingLeft(t, c)
	})
}

// The server loses what it has acknowledged.
func TestScenario16LostMessages(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	agents := workers(t, s.url(), 2, 1)
	for _, prefix := range []string{"JGJ_", "JGR_"} {
		t.Run("deleted from "+prefix, func(t *testing.T) {
			c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
			js := raw(t, s.url())
			h, in := hazard{Dir: t.TempDir()}, deeds(100, 30*time.Millisecond)
			deleted := 0
			over, stop := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(over)
				for deleted < 5 {
					deleted += deleteSome(js, prefix)
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			}()
			out, err := hazards(h, jobgen.On(c), jobgen.Workers(12)).Run(limited(t), in)
			close(stop)
			<-over
			check(t, in, out, err)
			if n := c.Stats(); prefix == "JGJ_" && (deleted == 0 || n.Resent == 0) {
				t.Errorf("%d messages were deleted: %+v", deleted, n)
			}
			nothingLeft(t, c)
		})
	}
	noProcessLeft(t, agents...)
	for _, named := range []bool{false, true} {
		t.Run(fmt.Sprintf("older copy of the store, name %t", named), func(t *testing.T) {
			s := newServer(t, serverConfig{})
			agents := workers(t, s.url(), 2, 1)
			c, _ := connect(t, s.url(), cluster.Options{WorkerTimeout: time.Second})
			h, in := hazard{Dir: t.TempDir()}, deeds(150, 20*time.Millisecond)
			copied := t.TempDir()
			over := make(chan struct{})
			go func() {
				defer close(over)
				eventually(t, "some jobs", func() bool { return begun(t, h.Dir, len(in)) > 20 })
				s.process.kill() // or else the copy may be no state in which the server has ever been
				if err := os.CopyFS(copied, os.DirFS(s.config.StoreDir)); err != nil {
					t.Error(err)
				}
				s.start()
				s.ready()
				before := begun(t, h.Dir, len(in))
				eventually(t, "more jobs", func() bool { return begun(t, h.Dir, len(in)) > before+30 })
				s.process.kill()
				s.empty()
				if err := os.CopyFS(s.config.StoreDir, os.DirFS(copied)); err != nil {
					t.Error(err)
				}
				s.start()
				s.ready()
			}()
			on := jobgen.Backend(c)
			if named {
				on = c.Resumable("older")
			}
			out, err := hazards(h, jobgen.On(on)).Run(limited(t), in)
			<-over
			check(t, in, out, err)
			out, err = hazards(hazard{}, jobgen.On(c)).Run(limited(t), in[:10])
			check(t, in[:10], out, err)
			nothingLeft(t, c)
			noProcessLeft(t, agents...)
		})
	}
}

// deleteSome deletes the newest message of a run's stream, which is not the driver's doing.
func deleteSome(js jetstream.JetStream, prefix string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	names := js.StreamNames(ctx)
	n := 0
	for name := range names.Name() {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if stream, err := js.Stream(ctx, name); err == nil {
			if info := stream.CachedInfo(); info.State.Msgs > 0 && stream.DeleteMsg(ctx, info.State.LastSeq) == nil {
				n++
			}
		}
	}
	return n
}
