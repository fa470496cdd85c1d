package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
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
	server         *server.Server
	url, ca        string
	driver, worker string // files of seeds
}

// environment is held while a configuration is read, whose values come from there.
var environment sync.Mutex

// startGuarded starts it as it stands there, or with a right less. There is another account as well.
func startGuarded(t *testing.T, change func(driver, worker *server.Permissions)) *guarded {
	t.Helper()
	ours := newAuthority(t)
	cert, key := ours.sign(t, time.Now().Add(time.Hour), "127.0.0.1")
	g := &guarded{ca: ours.file}
	driver, driverPublic := newUser(t)
	worker, workerPublic := newUser(t)
	g.driver, g.worker = writeFile(t, "driver.seed", driver), writeFile(t, "worker.seed", worker)
	o := readConf(t, map[string]string{
		"NATS_CERT": cert, "NATS_KEY": key, "NATS_STORE": t.TempDir(), "DRIVER_NKEY": driverPublic, "WORKER_NKEY": workerPublic,
	})
	o.Host, o.Port = "127.0.0.1", server.RANDOM_PORT // others may be listening at the one in the file
	o.TLSTimeout = soon.Seconds()
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
	other := server.NewAccount("OTHER")
	o.Accounts = append(o.Accounts, other)
	o.Users = append(o.Users, &server.User{Username: "other", Password: "other", Account: other})
	g.server = startServer(t, o)
	if other, err := g.server.LookupAccount("OTHER"); err != nil {
		t.Fatal(err)
	} else if err := other.EnableJetStream(nil, nil); err != nil {
		t.Fatal(err)
	}
	g.url = strings.Replace(g.server.ClientURL(), "nats://", "tls://", 1)
	return g
}

// readConf reads the configuration of the documentation, as the server does.
func readConf(t *testing.T, env map[string]string) *server.Options {
	t.Helper()
	environment.Lock()
	defer environment.Unlock()
	for name, value := range env {
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	return must(server.ProcessConfigFile("../docs/cluster/nats-server.conf"))(t)
}

func (g *guarded) connect(t *testing.T, log *slog.Logger) (*cluster.Cluster, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	c, err := cluster.Connect(ctx, g.url, cluster.Options{NKey: g.driver, CA: g.ca, Logger: log, WorkerTimeout: 2 * time.Second, WaitForWorkers: -1})
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
func everything(ctx context.Context, t *testing.T, c *cluster.Cluster) error {
	on := jobgen.On(c)
	large := strings.Repeat("l", 400<<10)
	in := append(repeated(20, probeIn{}), probeIn{Pad: large, Bytes: len(large)}, probeIn{Pad: strings.Repeat("m", 17<<20), Bytes: 17 << 20})
	out, err := probesWith(probe{Config: large}, on).Run(ctx, in)
	if err != nil {
		return fmt.Errorf("large: %w", err)
	}
	if last := out[len(out)-2]; last.In != len(large) || last.Config != len(large) || len(last.Fill) != len(large) {
		return fmt.Errorf("large: %d, %d and %d bytes", last.In, last.Config, len(last.Fill))
	}
	if err := cancelled(ctx, t, c); err != nil {
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

// cancelled ends a run of which one chunk is under way, and others wait for workers. It takes long enough for the driver to
// look after them.
func cancelled(ctx context.Context, t *testing.T, c *cluster.Cluster) error {
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(ctx)
	mark := filepath.Join(t.TempDir(), "mark")
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(mark); err == nil {
				time.Sleep(time.Second)
				cancel(enough)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := probes(jobgen.On(c), jobgen.Workers(4)).Run(ctx, repeated(40, probeIn{Mark: mark, Hold: true}))
	cancel(nil)
	if !errors.Is(err, enough) {
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

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestMinimalPermissions: those that the documentation lists are enough for everything.
func TestMinimalPermissions(t *testing.T) {
	g := startGuarded(t, nil)
	w := g.startWorker(t)
	var log lines
	c, err := g.connect(t, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	if err := everything(ctx, t, c); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "ermission") {
		t.Errorf("the driver was denied something:\n%s", log.String())
	}
	w.tell(t, syscall.SIGTERM)
	if status := w.status(t); status != 0 || strings.Contains(w.String(), "ermission") {
		t.Errorf("the worker was denied something: status %d\n%s", status, w.String())
	}
}

// right is one line of the configuration.
type right struct{ role, verb, subject string }

// TestEachPermission takes away one right after the other: something says then, soon, which one it was.
func TestEachPermission(t *testing.T) {
	slow(t)
	if raceEnabled {
		t.Skip("it takes too long, and runs no other code than TestMinimalPermissions")
	}
	var rights []right
	startGuarded(t, func(driver, worker *server.Permissions) {
		for role, p := range map[string]*server.Permissions{"driver": driver, "worker": worker} {
			for _, subject := range p.Publish.Allow {
				rights = append(rights, right{role, "publish", subject})
			}
			for _, subject := range p.Subscribe.Allow {
				rights = append(rights, right{role, "subscribe", subject})
			}
		}
	})
	if len(rights) < 30 {
		t.Fatalf("only %d rights were found", len(rights))
	}
	for _, r := range rights {
		t.Run(r.role+" "+r.verb+" "+r.subject, func(t *testing.T) {
			t.Parallel()
			r.isNeeded(t)
		})
	}
}

// denied finds what was denied in errors and records.
var denied = regexp.MustCompile(`a permission is missing: [^\n]*?Permissions Violation for (Publish|Subscription) to \\*"([^"\\]+)`)

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
	})
	w := g.startWorker(t)
	var log lines
	c, err := g.connect(t, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- everything(ctx, t, c) }()
	found := func(text string) bool {
		for _, m := range denied.FindAllStringSubmatch(text, -1) {
			if server.SubjectsCollide(m[2], r.subject) {
				return true
			}
		}
		return false
	}
	for told := false; ; {
		select {
		case err := <-done:
			told = told || found(fmt.Sprint(err)) || found(log.String()) || found(w.String())
			if !told {
				t.Errorf("nothing names the right that is missing; the runs ended with %v", err)
			}
			return
		case <-time.After(10 * time.Millisecond):
			if !told && (found(log.String()) || found(w.String())) {
				told = true
				time.AfterFunc(time.Second, cancel) // the rest takes too long
			}
		}
	}
}

// TestWorkersCannot: what a worker may do is not more than it has to.
func TestWorkersCannot(t *testing.T) {
	g := startGuarded(t, nil)
	other := g.dial(t, nats.UserInfo("other", "other"))
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	must(other.CreateStream(ctx, jetstream.StreamConfig{Name: "JGR_secret", Subjects: []string{"jg.r.secret"}, AllowDirect: true}))(t)
	must(other.Publish(ctx, "jg.r.secret", []byte("secret")))(t)
	driver := g.dial(t, must(nats.NkeyOptionFromSeed(g.driver))(t), nats.CustomInboxPrefix("_INBOX_jgd"))
	must(driver.CreateStream(ctx, jetstream.StreamConfig{Name: "JGJ_run", Subjects: []string{"jg.j.run"}}))(t)
	must(driver.CreateOrUpdateConsumer(ctx, "JGJ_run", jetstream.ConsumerConfig{Durable: "jgw"}))(t)

	denials := make(chan error, 100)
	worker := g.dial(t, must(nats.NkeyOptionFromSeed(g.worker))(t), nats.CustomInboxPrefix("_INBOX_jgw"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denials <- err }))
	for what, try := range map[string]func(ctx context.Context) error{
		"make a stream": func(ctx context.Context) error {
			_, err := worker.CreateStream(ctx, jetstream.StreamConfig{Name: "JGJ_mine", Subjects: []string{"jg.j.mine"}})
			return err
		},
		"change a stream": func(ctx context.Context) error {
			_, err := worker.UpdateStream(ctx, jetstream.StreamConfig{Name: "JGJ_run", Subjects: []string{"jg.j.run"}, MaxMsgs: 1})
			return err
		},
		"remove a stream":   func(ctx context.Context) error { return worker.DeleteStream(ctx, "JGJ_run") },
		"empty a stream":    func(ctx context.Context) error { return must(worker.Stream(ctx, "JGJ_run"))(t).Purge(ctx) },
		"remove a consumer": func(ctx context.Context) error { return worker.DeleteConsumer(ctx, "JGJ_run", "jgw") },
		"read a stream": func(ctx context.Context) error {
			_, err := worker.CreateConsumer(ctx, "JGJ_run", jetstream.ConsumerConfig{FilterSubject: "jg.j.run"})
			return err
		},
		"send chunks": func(ctx context.Context) error {
			_, err := worker.Publish(ctx, "jg.j.run", nil)
			return err
		},
		"announce runs": func(ctx context.Context) error {
			_, err := worker.Publish(ctx, "$KV.JG_RUNS.run.mine", nil)
			return err
		},
	} {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- try(ctx) }()
		select {
		case err := <-done:
			t.Errorf("a worker can %s, or fails without being denied it: %v", what, err)
		case err := <-denials:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", what, err)
			}
			cancel()
			<-done
		}
		cancel()
	}
	if _, err := worker.Stream(ctx, "JGR_secret"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("a worker sees a stream of another account: %v", err)
	}
}

// dial connects without this project's help.
func (g *guarded) dial(t *testing.T, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc := must(nats.Connect(g.url, append(opts, nats.RootCAs(g.ca), nats.Timeout(soon))...))(t)
	t.Cleanup(nc.Close)
	return must(jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute)))(t)
}
