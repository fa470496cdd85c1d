package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// probe is the worker of the tests of credentials, permissions and drains: its jobs do what their inputs say.
type probe struct {
	Config string
}

// probeIn is what a job is to do.
type probeIn struct {
	Pad   string        // to make the input large
	Bytes int           // of the result
	Sleep time.Duration // how long the job takes
	Hold  bool          // until its context ends
	Deaf  bool          // it does not hear of that
	Fail  bool
	Mark  string // the path of a file that says how often the job has begun: a byte each time
	Once  bool   // it holds the first time only
	Until string // the path of a file for which the job waits
}

// probeOut is what it did.
type probeOut struct {
	In, Config int    // bytes that it was given
	Fill       string // as many bytes as were asked for
}

func (p *probe) do(ctx context.Context, in probeIn) (probeOut, error) {
	times := 0
	if in.Mark != "" {
		f, err := os.OpenFile(in.Mark, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return probeOut{}, err
		}
		_, _ = f.WriteString("x")
		if info, err := f.Stat(); err == nil {
			times = int(info.Size())
		}
		f.Close()
	}
	done := ctx.Done()
	if in.Deaf {
		done = nil
	}
	for in.Until != "" {
		if _, err := os.Stat(in.Until); err == nil {
			break
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-done:
			return probeOut{}, ctx.Err()
		}
	}
	switch {
	case in.Once && times > 1:
	case in.Hold:
		<-done
		return probeOut{}, ctx.Err()
	case in.Sleep > 0:
		select {
		case <-time.After(in.Sleep):
		case <-done:
			return probeOut{}, ctx.Err()
		}
	}
	if in.Fail {
		return probeOut{}, errors.New("this job is to fail")
	}
	return probeOut{In: len(in.Pad), Config: len(p.Config), Fill: string(bytes.Repeat([]byte("x"), in.Bytes))}, nil
}

// probes returns a runner.
func probes(opts ...jobgen.Option) *jobgen.Runner[probeIn, probeOut] {
	return probesWith(probe{}, opts...)
}

func probesWith(p probe, opts ...jobgen.Option) *jobgen.Runner[probeIn, probeOut] {
	r := jobgen.NewRunner(probeSpec(p), opts...)
	return &r
}

// otherSchema, set in its environment, makes a worker one whose types are other ones.
const otherSchema = "CLUSTER_TEST_OTHER_SCHEMA"

func probeSpec(p probe) jobgen.Spec[probeIn, probeOut] {
	fingerprint := uint64(0x5eed)
	if os.Getenv(otherSchema) != "" {
		fingerprint++
	}
	return jobgen.Spec[probeIn, probeOut]{
		Name: "github.com/jobgen/jobgen/cluster_test.probe",
		New:  probeInstances(p),
		Wire: &jobgen.Wire[probeIn, probeOut]{
			Fingerprint: fingerprint,
			Config:      func(b []byte) ([]byte, error) { return appendLine(b, p) },
			Configured: func(config []byte) (func() jobgen.Instance[probeIn, probeOut], error) {
				p, _, err := readLine[probe](config)
				return probeInstances(p), err
			},
			AppendIn:  appendLine[probeIn],
			ReadIn:    readLine[probeIn],
			AppendOut: appendLine[probeOut],
			ReadOut:   readLine[probeOut],
		},
	}
}

func probeInstances(p probe) func() jobgen.Instance[probeIn, probeOut] {
	return func() jobgen.Instance[probeIn, probeOut] {
		p := p
		return jobgen.Instance[probeIn, probeOut]{Do: p.do}
	}
}

func init() { jobgen.Register(probeSpec(probe{})) }
