package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// soon is long after an error should have come, on a machine that is busy with other things.
const soon = 60 * time.Second

// startServer starts a server on loopback, with JetStream, unless the options say otherwise.
func startServer(t *testing.T, o *server.Options) *server.Server {
	t.Helper()
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	o.NoLog, o.NoSigs = true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(soon) {
		t.Fatal("the server does not start")
	}
	return s
}

// dialled connects as a driver.
func dialled(t *testing.T, url string, o cluster.Options) *cluster.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	c, err := cluster.Connect(ctx, url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// workerProcess is a worker that a test has started.
type workerProcess struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
	lines // of its standard output and error
}

// startWorker starts this test binary, or another program, as a worker.
func startWorker(t *testing.T, program, url string, env ...string) *workerProcess {
	t.Helper()
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	w := &workerProcess{cmd: exec.Command(program), ended: make(chan struct{})}
	w.cmd.Env = append(os.Environ(), "JOBGEN_WORKER="+url, "JOBGEN_SLOTS=1", "JOBGEN_CACHE="+cacheDir(t))
	w.cmd.Env = append(w.cmd.Env, env...)
	w.cmd.Stdout, w.cmd.Stderr = w, w
	w.start(t)
	return w
}

func (w *workerProcess) start(t *testing.T) {
	t.Helper()
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		w.err = w.cmd.Wait()
		close(w.ended)
	}()
	t.Cleanup(func() {
		select {
		case <-w.ended:
		default:
			_ = w.cmd.Process.Kill()
			<-w.ended
		}
		if t.Failed() {
			t.Logf("a worker said:\n%s", w.String())
		}
	})
}

func cacheDir(t *testing.T) string { return filepath.Join(t.TempDir(), "cache") }

// status waits for the end of a worker and returns its exit status.
func (w *workerProcess) status(t *testing.T) int {
	t.Helper()
	select {
	case <-w.ended:
	case <-time.After(soon):
		t.Fatalf("the worker has not ended; it said:\n%s", w.String())
	}
	return w.cmd.ProcessState.ExitCode()
}

func (w *workerProcess) tell(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := w.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// refused is what a test expects when a server is not to be used.
type refused struct {
	kind   error
	says   []string // parts of the error's text
	secret []string // what it must not show
}

// check checks an error of a driver.
func (r refused) check(t *testing.T, err error) {
	t.Helper()
	var of *cluster.ServerError
	if !errors.As(err, &of) {
		t.Fatalf("the error is not a *ServerError: %v", err)
	}
	if of.Kind != r.kind || !errors.Is(err, r.kind) {
		t.Errorf("the kind is %v, not %v: %v", of.Kind, r.kind, err)
	}
	if of.Remedy == "" {
		t.Errorf("the error names nothing to change: %v", err)
	}
	r.text(t, err.Error())
}

func (r refused) text(t *testing.T, text string) {
	t.Helper()
	for _, s := range r.says {
		if !strings.Contains(text, s) {
			t.Errorf("the error does not say %q: %s", s, text)
		}
	}
	for _, s := range r.secret {
		if strings.Contains(text, s) {
			t.Errorf("the error shows the secret %q: %s", s, text)
		}
	}
}

// checkDriver expects that a connection fails, and that a run on JOBGEN_BACKEND does.
func (r refused) checkDriver(t *testing.T, url string, o cluster.Options, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	c, err := cluster.Connect(ctx, url, o)
	if err == nil {
		_, err = probes(jobgen.On(c)).Run(ctx, repeated(2, probeIn{}))
		c.Close()
	}
	r.check(t, err)
	if len(env) == 0 {
		return
	}
	t.Run("JOBGEN_BACKEND", func(t *testing.T) {
		t.Setenv("JOBGEN_BACKEND", url)
		for _, e := range env {
			name, value, _ := strings.Cut(e, "=")
			t.Setenv(name, value)
		}
		_, err := probes().Run(ctx, repeated(2, probeIn{}))
		r.check(t, err)
	})
}

// checkWorker expects that a worker ends, with status 1 and the error.
func (r refused) checkWorker(t *testing.T, url string, env ...string) {
	t.Helper()
	w := startWorker(t, "", url, env...)
	if status := w.status(t); status != 1 {
		t.Errorf("the worker's status is %d, not 1", status)
	}
	r.text(t, w.String())
	if !strings.Contains(w.String(), r.kind.Error()) {
		t.Errorf("the worker does not say %q:\n%s", r.kind, w.String())
	}
}

// works expects that a run succeeds, with a worker that has the same address.
func works(t *testing.T, url string, o cluster.Options, env ...string) {
	t.Helper()
	c := dialled(t, url, o)
	startWorker(t, "", url, env...)
	runProbes(t, c)
	t.Run("JOBGEN_BACKEND", func(t *testing.T) {
		t.Setenv("JOBGEN_BACKEND", url)
		for _, e := range env {
			name, value, _ := strings.Cut(e, "=")
			t.Setenv(name, value)
		}
		runProbes(t, nil)
	})
}

func runProbes(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	var opts []jobgen.Option
	if c != nil {
		opts = append(opts, jobgen.On(c))
	}
	out, err := probes(opts...).Run(ctx, repeated(5, probeIn{Pad: "pad"}))
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.In != 3 {
			t.Errorf("job %d: %+v", i, o)
		}
	}
}

// deadPort returns an address of loopback at which nobody listens.
func deadPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// pidOf is how results and errors name a worker.
func pidOf(w *workerProcess) string { return fmt.Sprintf("(pid %d)", w.cmd.Process.Pid) }

// waitForWorkers waits until so many workers are there, on a server without credentials.
func waitForWorkers(t *testing.T, url string, n int) {
	t.Helper()
	nc := must(nats.Connect(url))(t)
	defer nc.Close()
	js := must(jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute)))(t)
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	for _, bucket := range []string{"JG_RUNS", "JG_WORKERS"} { // a driver makes them; workers wait for that
		if _, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket}); err != nil {
			t.Fatal(err)
		}
	}
	kv := must(js.KeyValue(ctx, "JG_WORKERS"))(t)
	for {
		keys, err := kv.Keys(ctx)
		if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
			t.Fatal(err)
		}
		if len(keys) >= n {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// waitForFile waits until a file has a content of so many bytes.
func waitForFile(t *testing.T, path string, bytes int64) {
	t.Helper()
	for end := time.Now().Add(soon); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(path); err == nil && info.Size() >= bytes {
			return
		}
	}
	t.Fatalf("%s does not come", path)
}
