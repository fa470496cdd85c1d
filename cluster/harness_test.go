//go:build unix

package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jobgen/jobgen/cluster"
)

// patience is how long a test waits for what takes a moment on a machine that is free. This one may be busy.
const patience = 90 * time.Second

// locked is a source of random numbers for several goroutines.
type locked struct {
	mu  sync.Mutex
	src rand.Source
}

func (l *locked) Uint64() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.src.Uint64()
}

// endProcess ends this process at once.
func endProcess(how string) {
	if how == "exit" {
		os.Exit(0)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// process is one that a test has started.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *lines
	ended chan struct{}
}

// start starts this program with some more environment. It is killed at the end of the test, if it is still there.
func start(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), out: &lines{}, ended: make(chan struct{})}
	p.cmd.Env = append(append(unsetTest(os.Environ()), "CLUSTERTEST_MARK="+mark(t)), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.WaitDelay = 5 * time.Second
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() && p.out.String() != "" {
			t.Logf("process %d wrote:\n%s", p.cmd.Process.Pid, p.out)
		}
	})
	return p
}

// mark is in the environment of every process of a test.
func mark(t *testing.T) string {
	name, _, _ := strings.Cut(t.Name(), "/")
	return name + "-" + strconv.Itoa(os.Getpid())
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) lives() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) kill() {
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGKILL)
	<-p.ended
	p.stdin.Close()
}

// natsServer is a server in a process of its own.
type natsServer struct {
	t      *testing.T
	config serverConfig
	*process
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// newServer starts a server. What config leaves out is chosen.
func newServer(t *testing.T, config serverConfig) *natsServer {
	t.Helper()
	if config.StoreDir == "" {
		config.StoreDir = t.TempDir()
	}
	if config.Port == 0 {
		config.Port = freePort(t)
	}
	if config.MaxStore == 0 {
		config.MaxStore = 8 << 30
	}
	s := &natsServer{t: t, config: config}
	s.start()
	s.ready()
	return s
}

func (s *natsServer) start() {
	s.t.Helper()
	text, err := json.Marshal(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.process = start(s.t, envServer+"="+string(text))
}

func (s *natsServer) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.config.Port) }

// ready waits until the server has JetStream.
func (s *natsServer) ready() {
	s.t.Helper()
	eventually(s.t, "a server", func() bool {
		if !s.lives() {
			s.t.Fatalf("the server has ended: %s", s.out)
		}
		nc, err := nats.Connect(s.url())
		if err != nil {
			return false
		}
		defer nc.Close()
		js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second))
		if err != nil {
			return false
		}
		_, err = js.AccountInfo(context.Background())
		return err == nil
	})
}

// empty removes what the server has stored. It must not be running.
func (s *natsServer) empty() {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.config.StoreDir, "jetstream")); err != nil {
		s.t.Fatal(err)
	}
}

// worker starts an agent.
func worker(t *testing.T, url string, slots int, env ...string) *process {
	t.Helper()
	return start(t, append([]string{
		"JOBGEN_WORKER=" + url, "JOBGEN_SLOTS=" + strconv.Itoa(slots), "JOBGEN_TIED=1", "JOBGEN_CACHE=" + t.TempDir(),
	}, env...)...)
}

func workers(t *testing.T, url string, n, slots int, env ...string) []*process {
	t.Helper()
	all := make([]*process, n)
	for i := range all {
		all[i] = worker(t, url, slots, env...)
	}
	return all
}

// connect makes a backend. It logs to the test if that fails.
func connect(t *testing.T, url string, o cluster.Options) (*cluster.Cluster, *records) {
	t.Helper()
	log := &records{}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	if o.WorkerTimeout == 0 {
		o.WorkerTimeout = 2 * time.Second
	}
	if o.WaitForWorkers == 0 {
		o.WaitForWorkers = patience
	}
	c, err := cluster.Connect(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.MakeBuckets(c); err != nil { // workers wait for them
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the driver's log:\n%s", log)
		}
	})
	return c, log
}

// records is a log.
type records struct{ lines }

func (r *records) has(text string) bool { return strings.Contains(r.String(), text) }

// nothingLeft checks that no run has left anything on the server.
func nothingLeft(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	js := cluster.JetStream(c)
	var left []string
	look := func() bool {
		left = nil
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		names := js.StreamNames(ctx)
		for name := range names.Name() {
			if strings.HasPrefix(name, "JGJ_") || strings.HasPrefix(name, "JGR_") || strings.HasPrefix(name, "OBJ_JG_BLOB_") {
				left = append(left, name)
			}
		}
		if err := names.Err(); err != nil {
			left = append(left, err.Error())
			return false
		}
		kv, err := js.KeyValue(ctx, "JG_RUNS")
		if err != nil {
			left = append(left, err.Error())
			return false
		}
		keys, err := kv.ListKeys(ctx)
		if err != nil {
			left = append(left, err.Error())
			return false
		}
		for key := range keys.Keys() {
			left = append(left, key)
		}
		return len(left) == 0
	}
	for end := time.Now().Add(patience); !look(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("left on the server: %q", left)
			return
		}
	}
}

// noProcessLeft ends the workers and checks that none of their children is left.
func noProcessLeft(t *testing.T, all ...*process) {
	t.Helper()
	for _, p := range all {
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGTERM)
	}
	for _, p := range all {
		select {
		case <-p.ended:
		case <-time.After(patience):
			t.Errorf("worker %d does not end", p.cmd.Process.Pid)
			p.kill()
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	var left []string
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if left = executors(mark(t)); len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("processes are left: %q", left)
			return
		}
	}
}

// executors finds the processes in which workers of a test run jobs.
func executors(mark string) (left []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range all {
		env, err := os.ReadFile(path)
		if err == nil && bytes.Contains(env, []byte("CLUSTERTEST_MARK="+mark+"\x00")) && bytes.Contains(env, []byte("JOBGEN_WORKER=processes")) {
			left = append(left, path)
		}
	}
	return left
}

func itoa(n int) string { return strconv.Itoa(n) }

func textLogger(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }
