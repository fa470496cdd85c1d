package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
	"github.com/jobgen/jobgen/sharedmem"
)

// guarded is a server with the configuration that the documentation shows.
type guarded struct {
	url, ca        string
	driver, worker string // files of seeds
}

// startGuarded starts it as it stands there, or with a right less.
func startGuarded(t *testing.T, change func(driver, worker *server.Permissions)) *guarded {
	t.Helper()
	ours := newAuthority(t)
	cert, key := ours.sign(t, time.Now().Add(time.Hour), "127.0.0.1")
	g := &guarded{ca: ours.file}
	driver, driverPublic := newUser(t)
	worker, workerPublic := newUser(t)
	g.driver, g.worker = writeFile(t, "driver.seed", driver), writeFile(t, "worker.seed", worker)
	for name, value := range map[string]string{
		"NATS_CERT": cert, "NATS_KEY": key, "NATS_STORE": t.TempDir(), "DRIVER_NKEY": driverPublic, "WORKER_NKEY": workerPublic,
	} {
		t.Setenv(name, value)
	}
	o, err := server.ProcessConfigFile("../docs/cluster/nats-server.conf")
	if err != nil {
		t.Fatal(err)
	}
	o.Host, o.Port = "127.0.0.1", server.RANDOM_PORT // others may be listening at the one in the file
	var rights [2]*server.Permissions
	for _, u := range o.Nkeys {
		if u.Nkey == driverPublic {
			rights[0] = u.Permissions
		} else {
			rights[1] = u.Permissions
		}
	}
	if change != nil {
		change(rights[0], rights[1])
	}
	g.url = strings.Replace(startServer(t, o).ClientURL(), "nats://", "tls://", 1)
	return g
}

func (g *guarded) connect(t *testing.T, log *slog.Logger) (*cluster.Cluster, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	c, err := cluster.Connect(ctx, g.url, cluster.Options{NKey: g.driver, CA: g.ca, Logger: log, WaitForWorkers: 5 * time.Second})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func (g *guarded) startWorker(t *testing.T) *workerProcess {
	return startWorker(t, "", g.url, "JOBGEN_NKEY="+g.worker, "JOBGEN_CA="+g.ca)
}

// everything runs what needs rights: large configurations, inputs and results, a run that is cancelled, one that is taken
// up again, and arrays.
func everything(c *cluster.Cluster) error {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	on := jobgen.On(c)
	large := strings.Repeat("l", 400<<10)
	in := append(repeated(20, probeIn{}), probeIn{Pad: large, Bytes: len(large)}, probeIn{Pad: strings.Repeat("m", 17<<20)})
	out, err := probesWith(probe{Config: large}, on).Run(ctx, in)
	if err != nil {
		return fmt.Errorf("large: %w", err)
	}
	if last := out[len(out)-2]; last.In != len(large) || last.Config != len(large) || len(last.Fill) != len(large) {
		return fmt.Errorf("large: %d, %d and %d bytes", last.In, last.Config, len(last.Fill))
	}
	if err := cancelled(ctx, c); err != nil {
		return fmt.Errorf("cancelled: %w", err)
	}
	if err := takenUp(ctx, c); err != nil {
		return fmt.Errorf("taken up: %w", err)
	}
	if raceEnabled {
		return nil // arrays are on the heap then, and do not travel
	}
	if err := arrays(ctx, on); err != nil {
		return fmt.Errorf("arrays: %w", err)
	}
	return nil
}

// cancelled ends a run whose chunks are under way, or wait for workers.
func cancelled(ctx context.Context, c *cluster.Cluster) error {
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(ctx)
	in := repeated(40, probeIn{Hold: true})
	in[0] = probeIn{}
	started := jobgen.Observe(jobgen.Observer{JobDone: func(jobgen.RunInfo, jobgen.JobInfo) { cancel(enough) }})
	if _, err := probes(jobgen.On(c), jobgen.Workers(4), started).Run(ctx, in); !errors.Is(err, enough) {
		return err
	}
	return nil
}

func takenUp(ctx context.Context, c *cluster.Cluster) error {
	in := repeated(20, probeIn{Bytes: 300 << 10})
	in[19] = probeIn{Fail: true}
	_, err := probes(jobgen.On(c.Resumable("again"))).Run(ctx, in)
	var job *jobgen.JobError
	if !errors.As(err, &job) || job.Index != 19 {
		return fmt.Errorf("the first time: %w", err)
	}
	in[19].Fail = false
	_, err = probes(jobgen.On(c.Resumable("again"))).Run(ctx, in)
	return err
}

func arrays(ctx context.Context, on jobgen.Option) error {
	arena, err := sharedmem.NewArena(sharedmem.ArenaOptions{})
	if err != nil {
		return err
	}
	defer arena.Close()
	a, err := sharedmem.Alloc[float64](arena, 100_000)
	if err != nil {
		return err
	}
	for i := range a.Slice() {
		a.Slice()[i] = 1
	}
	sums, err := summer(on).Run(ctx, repeated(3, a))
	for _, s := range sums {
		if err == nil && s != 100_000 {
			err = fmt.Errorf("the sum is %v", s)
		}
	}
	return err
}

// summer adds up the elements of arrays.
func summer(opts ...jobgen.Option) *jobgen.Runner[sharedmem.Array[float64], float64] {
	r := jobgen.NewRunner(summerSpec(), opts...)
	return &r
}

func summerSpec() jobgen.Spec[sharedmem.Array[float64], float64] {
	instances := func() jobgen.Instance[sharedmem.Array[float64], float64] {
		return jobgen.Instance[sharedmem.Array[float64], float64]{
			Do: func(_ context.Context, a sharedmem.Array[float64]) (sum float64, _ error) {
				for _, v := range a.Slice() {
					sum += v
				}
				return sum, nil
			},
		}
	}
	return jobgen.Spec[sharedmem.Array[float64], float64]{
		Name: "github.com/jobgen/jobgen/cluster_test.summer",
		New:  instances,
		Wire: &jobgen.Wire[sharedmem.Array[float64], float64]{
			Fingerprint: 2,
			Config:      func(b []byte) ([]byte, error) { return b, nil },
			Configured: func([]byte) (func() jobgen.Instance[sharedmem.Array[float64], float64], error) {
				return instances, nil
			},
			AppendIn: func(b []byte, a sharedmem.Array[float64]) ([]byte, error) {
				text, err := a.MarshalBinary()
				if err != nil {
					return nil, err
				}
				return appendLine(b, text)
			},
			ReadIn: func(b []byte) (a sharedmem.Array[float64], rest []byte, err error) {
				text, rest, err := readLine[[]byte](b)
				if err == nil {
					err = a.UnmarshalBinary(text)
				}
				return a, rest, err
			},
			AppendOut: appendLine[float64],
			ReadOut:   readLine[float64],
		},
	}
}

func init() { jobgen.Register(summerSpec()) }

// logBuffer is where a test reads what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestMinimalPermissions: those that the documentation lists are enough for everything.
func TestMinimalPermissions(t *testing.T) {
	g := startGuarded(t, nil)
	w := g.startWorker(t)
	var log logBuffer
	c, err := g.connect(t, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	if err := everything(c); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "ermission") {
		t.Errorf("the driver was denied something:\n%s", log.String())
	}
	w.tell(t, syscall.SIGTERM)
	if status := w.status(t); status != 0 || strings.Contains(w.said(), "ermission") {
		t.Errorf("the worker was denied something: status %d\n%s", status, w.said())
	}
}

// TestEachPermission takes away one right after the other: something says then, soon, which one it was.
func TestEachPermission(t *testing.T) {
	var rights []right
	startGuarded(t, func(driver, worker *server.Permissions) {
		for _, p := range []struct {
			role string
			*server.Permissions
		}{{"driver", driver}, {"worker", worker}} {
			for _, subject := range p.Publish.Allow {
				rights = append(rights, right{p.role, "publish", subject})
			}
			for _, subject := range p.Subscribe.Allow {
				rights = append(rights, right{p.role, "subscribe", subject})
			}
		}
	})
	for _, r := range rights {
		t.Run(r.role+" "+r.verb+" "+strings.NewReplacer(".", "_", "*", "x", "$", "", ">", "").Replace(r.subject), func(t *testing.T) { r.isNeeded(t) })
	}
}

type right struct{ role, verb, subject string }

func (r right) isNeeded(t *testing.T) {
	g := startGuarded(t, func(driver, worker *server.Permissions) {
		p := driver
		if r.role == "worker" {
			p = worker
		}
		of := p.Publish
		if r.verb == "subscribe" {
			of = p.Subscribe
		}
		of.Allow = slices.DeleteFunc(slices.Clone(of.Allow), func(s string) bool { return s == r.subject })
		if len(of.Allow) == 0 {
			of.Deny = []string{">"}
		}
	})
	w := g.startWorker(t)
	var log logBuffer
	c, err := g.connect(t, log.logger())
	if err == nil {
		err = everything(c)
	}
	t.Log(err)
	t.Log(log.String())
	t.Log(w.said())
}

var _ = slices.Contains[[]string]
var _ nats.Msg
var _ jetstream.Msg
