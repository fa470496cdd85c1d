//go:build unix

package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// driverConfig is a driver in a process of its own, which can be killed.
type driverConfig struct {
	URL  string
	Run  string // its name
	Dir  string
	Jobs int
	Nap  time.Duration
}

// driverEnd is what a driver says when it has ended.
type driverEnd struct {
	Err    string
	Fenced bool
	Busy   bool
	Out    []string
	Stats  cluster.Stats
}

func driveIfTold() {
	text := os.Getenv(envDriver)
	if text == "" {
		return
	}
	var d driverConfig
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		panic(err)
	}
	var end driverEnd
	err := d.drive(&end)
	if err != nil {
		end.Err, end.Fenced, end.Busy = err.Error(), errors.Is(err, cluster.ErrFenced), errors.Is(err, cluster.ErrRunInProgress)
	}
	text2, err := json.Marshal(end)
	if err != nil {
		panic(err)
	}
	fmt.Printf("\nend %s\n", text2)
	os.Exit(0)
}

func (d *driverConfig) drive(end *driverEnd) error {
	c, err := cluster.Connect(context.Background(), d.URL, cluster.Options{WorkerTimeout: 2 * time.Second, WaitForWorkers: patience})
	if err != nil {
		return err
	}
	defer c.Close()
	end.Out, err = hazards(hazard{Dir: d.Dir}, jobgen.On(c.Resumable(d.Run))).Run(context.Background(), deeds(d.Jobs, d.Nap))
	end.Stats = c.Stats()
	return err
}

func driver(t *testing.T, d driverConfig) *process {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, envDriver+"="+string(text))
}

// end waits for a driver, and returns what it says.
func (p *process) end(t *testing.T) (e driverEnd) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * patience):
		t.Fatalf("the driver does not end: %s", p.out)
	}
	_, text, found := strings.Cut(p.out.String(), "\nend ")
	text, _, _ = strings.Cut(text, "\n")
	if !found || json.Unmarshal([]byte(text), &e) != nil {
		t.Fatalf("the driver wrote: %s", p.out)
	}
	return e
}
