//go:build unix

package cluster_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/jobgen/jobgen/cluster"
)

// What a process of this program is to be, other than a worker.
const (
	envServer = "CLUSTERTEST_SERVER" // a serverConfig
	envDriver = "CLUSTERTEST_DRIVER" // a driverConfig
	envFaults = "CLUSTERTEST_FAULTS" // a faultConfig, for workers and drivers
)

// serverConfig is a server in a process of its own, which can be killed.
type serverConfig struct {
	Name        string
	Port        int
	StoreDir    string
	MaxStore    int64
	MaxPayload  int32
	ClusterPort int
	Routes      []string
}

func serveIfTold() {
	text := os.Getenv(envServer)
	if text == "" {
		return
	}
	var c serverConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	opts := &server.Options{
		ServerName: c.Name, Host: "127.0.0.1", Port: c.Port, JetStream: true, StoreDir: c.StoreDir, JetStreamMaxStore: c.MaxStore,
		MaxPayload: c.MaxPayload, NoLog: true, NoSigs: true, PingInterval: 2 * time.Second, MaxPingsOut: 2, WriteDeadline: 5 * time.Second,
	}
	if c.ClusterPort != 0 {
		opts.Cluster = server.ClusterOpts{Name: "faults", Host: "127.0.0.1", Port: c.ClusterPort, PingInterval: 2 * time.Second}
		for _, r := range c.Routes {
			u, err := url.Parse(r)
			if err != nil {
				panic(err)
			}
			opts.Routes = append(opts.Routes, u)
		}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Start()
	_, _ = io.Copy(io.Discard, os.Stdin) // it ends with the test
	os.Exit(0)
}

// faultConfig says what goes wrong in a worker or driver.
type faultConfig struct {
	Seed  uint64
	Rate  float64 // of messages that are lost, each way
	Point string  // where the process ends …
	How   string  // … and how: "kill", "exit"
	Latch string  // a file: only the first process to make it does so
}

func faultsIfTold() {
	text := os.Getenv(envFaults)
	if text == "" {
		return
	}
	var c faultConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	cluster.SetFault(c.fault())
}

func (c faultConfig) fault() func(point string) error {
	random := rand.New(&locked{src: rand.NewPCG(c.Seed, uint64(os.Getpid()))})
	return func(point string) error {
		if c.Point == point && latch(c.Latch) {
			endProcess(c.How)
		}
		if c.Rate > 0 && random.Float64() < c.Rate {
			return fmt.Errorf("a fault %s: %w", point, nats.ErrTimeout)
		}
		return nil
	}
}

// latch reports true to the first who asks, whichever process it is of.
func latch(path string) bool {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

func unsetTest(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "CLUSTERTEST_") && !strings.HasPrefix(e, "JOBGEN_") {
			kept = append(kept, e)
		}
	}
	return kept
}
