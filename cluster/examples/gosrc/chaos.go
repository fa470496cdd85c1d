package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// chaosTimeout is after which time the chunk of the worker that was killed goes to another one. The default of fifteen
// seconds is for networks that have a bad moment.
const chaosTimeout = 2 * time.Second

// chaos kills a worker when half of the jobs are done, and starts another one.
func chaos(c *cluster.Cluster, stderr io.Writer) jobgen.Observer {
	var once sync.Once
	return jobgen.Observer{Advanced: func(run jobgen.RunInfo, done, _ int) {
		if done < run.Jobs/2 {
			return
		}
		once.Do(func() { // observers have to be quick
			go func() {
				if err := killOne(c, stderr); err != nil {
					fmt.Fprintf(stderr, "gosrc: -chaos: %v\n", err)
				}
			}()
		})
	}}
}

func killOne(c *cluster.Cluster, stderr io.Writer) error {
	pids := c.Workers()
	if len(pids) == 0 {
		return fmt.Errorf("there is no worker to kill")
	}
	p, err := os.FindProcess(pids[0])
	if err != nil {
		return err
	}
	if err := p.Kill(); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "gosrc: killed the worker with pid %d; starting another one\n", p.Pid)
	return c.StartWorker(1)
}
