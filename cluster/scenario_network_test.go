//go:build unix

package cluster_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// The network between a worker or the driver and the server is bad.
func TestScenario06Network(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverConfig{})
	good := worker(t, s.url(), 2) // one may have to wait for what the other does
	for i, v := range []struct {
		name string
		make func(p *proxy)
		heal func(p *proxy)
		late bool // results come that others have sent meanwhile
	}{
		{
			"blackhole",
			func(p *proxy) { p.hold(toServer, true); p.hold(toClient, true) },
			func(p *proxy) { p.hold(toServer, false); p.hold(toClient, false) },
			true,
		},
		{
			"blackhole and reset",
			func(p *proxy) { p.hold(toServer, true); p.hold(toClient, true) },
			func(p *proxy) { p.reset(); p.hold(toServer, false); p.hold(toClient, false) },
			false,
		},
		{"one way, to the server", func(p *proxy) { p.hold(toServer, true) }, func(p *proxy) { p.hold(toServer, false) }, true},
		{"one way, to the client", func(p *proxy) { p.hold(toClient, true) }, func(p *proxy) { p.hold(toClient, false) }, false},
		{"reset in a message to the server", func(p *proxy) { p.set(func() { p.cut[toServer] = true }) }, nil, false},
		{"reset in a message to the client", func(p *proxy) { p.set(func() { p.cut[toClient] = true }) }, nil, false},
		{"200 ms more", func(p *proxy) { p.set(func() { p.delay = 100 * time.Millisecond }) }, nil, false},
	} {
		for k, where := range []string{"worker", "driver"} {
			t.Run(v.name+", "+where, func(t *testing.T) {
				if (i+k)%2 == 1 { // half of them are quick enough for every day
					slow(t)
				}
				p := newProxy(t, s)
				var all []*process
				url := s.url()
				if where == "driver" {
					url = p.url()
					all = append(all, worker(t, s.url(), 1))
				} else {
					all = append(all, worker(t, p.url(), 1, "CLUSTERTEST_CUT_OFF=1"))
				}
				h, in := hazard{Dir: t.TempDir()}, deeds(150, 20*time.Millisecond)
				c, _ := connect(t, url, cluster.Options{WorkerTimeout: 500 * time.Millisecond})
				eventually(t, "both workers", func() bool { return presences(t, s) >= 2 })
				late := v.late && where == "worker"
				if late { // a job ends while its worker is cut off, and the run goes on until its result has come
					for i := range in {
						in[i].Do = "straddle"
					}
					in[len(in)-1].Do = "wait for file"
				}
				name := func(name string) {
					if err := os.WriteFile(filepath.Join(h.Dir, name), nil, 0o600); err != nil {
						t.Error(err)
					}
				}
				over := make(chan struct{})
				go func() {
					defer close(over)
					if late {
						eventually(t, "a job on the worker", func() bool { return there(h.Dir, "begun") })
					} else {
						eventually(t, "some jobs", func() bool { return begun(t, h.Dir, len(in)) > 20 })
					}
					v.make(p)
					if late {
						name("cut")
					}
					if v.heal != nil {
						time.Sleep(1500 * time.Millisecond)
						v.heal(p)
					}
					if late {
						eventually(t, "a result that comes late and is ignored", func() bool { return c.Stats().Duplicates > 0 })
						name("go")
					}
				}()
				out, err := hazards(h, jobgen.On(c), jobgen.Workers(8)).Run(limited(t), in)
				<-over
				check(t, in, out, err)
				if v.heal != nil {
					v.heal(p)
				}
				nothingLeft(t, c)
				for _, w := range all {
					w.signal(15)
					<-w.ended
				}
			})
		}
	}
	noProcessLeft(t, good)
}
