package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"
)

// Options say how to reach the servers, and how runs behave there. The zero value is good for servers on loopback that ask
// for no credentials.
type Options struct {
	// Credentials is the path of a credentials file (JWT and seed), as nsc makes them.
	Credentials string

	// NKey is the path of a file with an nkey seed.
	NKey string

	// Token, or User and Password, are for servers that ask for them.
	Token          string
	User, Password string

	// TLS configures TLS, CA is the path of a PEM file with the certificate of the servers' authority, and
	// Certificate and Key are those of a client certificate. Servers elsewhere than on loopback must have
	// TLS, whether or not any of these is set.
	TLS              *tls.Config
	CA               string
	Certificate, Key string

	// AllowInsecure allows servers elsewhere than on loopback without TLS: inputs, results and credentials can then
	// be read and changed by whoever is on the way.
	AllowInsecure bool

	// Replicas is how many servers hold each run: 1, 3 or 5; 0 means 1. With 3 a run goes on when a server dies.
	Replicas int

	// MaxBytes is how many bytes of chunks, and how many of results, the server stores for a run at a time; 0 means
	// as many as it has. Where there is no more room, a run waits until its workers have made some.
	MaxBytes int64

	// WorkerTimeout is how long a worker that runs a chunk may be silent before the chunk is given to another one;
	// 0 means 15 seconds. A worker that lives says so three times in it.
	WorkerTimeout time.Duration

	// WaitForWorkers is how long a run waits while there is no worker that can run it, until it fails with a
	// [*NoWorkersError]; 0 means 30 seconds, a negative value for ever.
	WaitForWorkers time.Duration

	// OtherBuilds allows workers whose executable is not the driver's, as in a cluster of several architectures.
	// What travels must still be the same: that is always checked. That their code is, is then up to the user.
	OtherBuilds bool

	// Keep is how long a run with a name (see [Cluster.Resumable]) is kept for a driver that takes it up, after its own has
	// ended or died; 0 means 24 hours.
	Keep time.Duration

	// Logger is told of what concerns no run: lost connections, and runs of the dead that were removed. nil discards it.
	Logger *slog.Logger
}

// The environment of drivers and workers that are started with an address. Passwords are never part of a
// command line.
const (
	envCreds    = "JOBGEN_CREDS"    // the path of a credentials file
	envNKey     = "JOBGEN_NKEY"     // the path of a file with an nkey seed
	envToken    = "JOBGEN_TOKEN"    // a token
	envUser     = "JOBGEN_USER"     // a user …
	envPassword = "JOBGEN_PASSWORD" // … and the password
	envCA       = "JOBGEN_CA"
	envCert     = "JOBGEN_CERT"
	envKey      = "JOBGEN_KEY"
	envInsecure = "JOBGEN_INSECURE" // 1 allows servers without TLS
	envReplicas = "JOBGEN_REPLICAS"
	envRun      = "JOBGEN_RUN"   // the name of a run that can be taken up again
	envSlots    = "JOBGEN_SLOTS" // how many jobs a worker runs at a time
	envCache    = "JOBGEN_CACHE" // the directory where a worker keeps what is large
	envDrain    = "JOBGEN_DRAIN" // how long a worker that was told to end goes on with its jobs
	envTied     = "JOBGEN_TIED"  // a worker ends when its standard input does
)

func optionsFromEnv() (Options, error) {
	o := Options{
		Credentials: os.Getenv(envCreds), NKey: os.Getenv(envNKey), Token: os.Getenv(envToken),
		User: os.Getenv(envUser), Password: os.Getenv(envPassword),
		CA: os.Getenv(envCA), Certificate: os.Getenv(envCert), Key: os.Getenv(envKey),
		Logger: slog.Default(),
	}
	var err error
	if v := os.Getenv(envInsecure); v != "" {
		if o.AllowInsecure, err = strconv.ParseBool(v); err != nil {
			return o, fmt.Errorf("%s=%s: want 1 or 0", envInsecure, v)
		}
	}
	if o.Replicas, err = intFromEnv(envReplicas, 0, 0); err != nil {
		return o, err
	}
	return o, nil
}

// intFromEnv reads a number of at least least.
func intFromEnv(name string, least, otherwise int) (int, error) {
	v := os.Getenv(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least {
		return 0, fmt.Errorf("%s=%s: want a number of at least %d", name, v, least)
	}
	return n, nil
}

func durationFromEnv(name string, otherwise time.Duration) (time.Duration, error) {
	v := os.Getenv(name)
	if v == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s=%s: want a duration such as 20s", name, v)
	}
	return d, nil
}

// complete fills in what is zero, and refuses what makes no sense.
func (o *Options) complete() error {
	switch o.Replicas {
	case 0:
		o.Replicas = 1
	case 1, 3, 5:
	default:
		return fmt.Errorf("cluster: Replicas is %d: want 1, 3 or 5", o.Replicas)
	}
	if o.MaxBytes < 0 {
		return errors.New("cluster: MaxBytes is negative; 0 means no limit")
	}
	if o.WorkerTimeout == 0 {
		o.WorkerTimeout = 15 * time.Second
	}
	if o.WorkerTimeout < 100*time.Millisecond {
		return fmt.Errorf("cluster: WorkerTimeout is %v: want 100ms at least, or chunks are run twice all the time", o.WorkerTimeout)
	}
	if o.WaitForWorkers == 0 {
		o.WaitForWorkers = 30 * time.Second
	}
	if o.Keep == 0 {
		o.Keep = 24 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	given := 0
	for _, set := range []bool{o.Credentials != "", o.NKey != "", o.Token != "", o.User != ""} {
		if set {
			given++
		}
	}
	if given > 1 {
		return errors.New("cluster: of Credentials, NKey, Token and User only one can be given")
	}
	return nil
}

// splitURLs takes an address apart: nats://a,nats://b or nats://a,b.
func splitURLs(address string) []string {
	var urls []string
	for _, u := range strings.Split(address, ",") {
		if u = strings.TrimSpace(u); u != "" {
			urls = append(urls, u)
		}
	}
	return urls
}
