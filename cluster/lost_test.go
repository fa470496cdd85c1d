//go:build unix

package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// TestLostWorkerIsNamed: the log says of a worker that was killed that it is not there any more.
func TestLostWorkerIsNamed(t *testing.T) {
	log := &records{}
	c := embedded(t, cluster.EmbeddedOptions{Workers: 2, Slots: 1, Options: cluster.Options{WorkerTimeout: 2 * time.Second, Logger: slog.New(slog.NewTextHandler(log, nil))}})
	dir := t.TempDir()
	until := filepath.Join(dir, "until")
	in := make([]probeIn, 2)
	for i := range in {
		in[i] = probeIn{Mark: filepath.Join(dir, fmt.Sprint(i)), Until: until}
	}
	done := make(chan error, 1)
	go func() {
		_, err := probes(jobgen.On(c)).Run(context.Background(), in)
		done <- err
	}()
	waitForFile(t, in[0].Mark, 1)
	waitForFile(t, in[1].Mark, 1)
	pid := c.Workers()[0]
	if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(soon); !log.has("a worker is not heard of any more") || !log.has(fmt.Sprintf("(pid %d)", pid)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("the log does not name the worker:\n%s", log)
			break
		}
	}
	if err := os.WriteFile(until, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
