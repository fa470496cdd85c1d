package jobgen

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The environment's settings win over the program's, so that a person can debug, move or repeat a
// run of a program that is already built.
const (
	envDebug    = "JOBGEN_DEBUG"
	envBackend  = "JOBGEN_BACKEND"
	envWorkers  = "JOBGEN_WORKERS"
	envProgress = "JOBGEN_PROGRESS"
	envSeed     = "JOBGEN_SEED"
	envWorker   = "JOBGEN_WORKER"
)

// resolve applies the options of a runner, those of a call, and the environment, in this order.
// portable says that the worker has a name under which other processes know it; a plain function
// has none, and the environment's choice of a backend does not move it.
func resolve(runner, call []Option, portable bool) (config, error) {
	c := config{attempts: 1}
	for _, opts := range [2][]Option{runner, call} {
		for _, o := range opts {
			if o != nil {
				o(&c)
			}
		}
	}
	if c.err != nil {
		return c, c.err
	}
	if err := c.fromEnv(portable); err != nil {
		return c, err
	}
	if !portable && c.backend != nil && !c.debug {
		return c, errors.New("Map and Stream run a plain function, which no other process knows by name; make it a worker (//jobgen:worker) to run it on a backend")
	}
	return c, nil
}

func (c *config) fromEnv(portable bool) error {
	if v := os.Getenv(envWorker); v != "" && !inited.Load() && !initializing() {
		return fmt.Errorf("%s=%s: this process is to be a worker, and has not called jobgen.Init: call it first in main, and in TestMain", envWorker, shownAddress(v))
	}
	if v := os.Getenv(envWorkers); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return fmt.Errorf("%s=%s: want a number of workers, or 0 for one per processor", envWorkers, v)
		}
		c.workers = n
	}
	if v := os.Getenv(envBackend); v != "" {
		if err := c.backendFromEnv(v, portable); err != nil {
			return err
		}
	}
	if on, set, err := boolFromEnv(envDebug); err != nil {
		return err
	} else if set {
		c.debug = on
	}
	if on, set, err := boolFromEnv(envProgress); err != nil {
		return err
	} else if set {
		c.progress = on && c.bar == nil
	}
	if v := os.Getenv(envSeed); v != "" {
		u, err := strconv.ParseUint(v, 0, 64)
		if err != nil {
			return fmt.Errorf("%s=%s: want a number from 0 to 2^64-1", envSeed, v)
		}
		c.seed, c.seeded = u, true
	}
	return nil
}

func (c *config) backendFromEnv(v string, portable bool) error {
	switch scheme, arg, more := strings.Cut(v, ":"); scheme {
	case "debug":
		if more {
			return fmt.Errorf("%s=%s: want debug, which has one worker", envBackend, v)
		}
		c.debug = true
		return nil
	case "goroutines":
		if more {
			n, err := strconv.Atoi(arg)
			if err != nil || n < 1 {
				return fmt.Errorf("%s=%s: want goroutines or goroutines:N with N of at least 1", envBackend, v)
			}
			c.workers = n
		}
		c.debug, c.backend = false, nil
		return nil
	}
	b, err := openBackend(v)
	if err != nil {
		return fmt.Errorf("%s=%s: %w", envBackend, shownAddress(v), err)
	}
	if portable {
		c.debug, c.backend = false, func() (Backend, error) { return b, nil }
	}
	return nil
}

func boolFromEnv(name string) (on, set bool, err error) {
	v := os.Getenv(name)
	if v == "" {
		return false, false, nil
	}
	on, err = strconv.ParseBool(v)
	if err != nil {
		return false, false, fmt.Errorf("%s=%s: want 1 or 0", name, v)
	}
	return on, true, nil
}
