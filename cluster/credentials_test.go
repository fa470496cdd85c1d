package cluster_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

func TestToken(t *testing.T) {
	s := startServer(t, &server.Options{JetStream: true, Authorization: "right-token"})
	works(t, s.ClientURL(), cluster.Options{Token: "right-token"}, "JOBGEN_TOKEN=right-token")
	bad := refused{kind: cluster.ErrCredentials, says: []string{s.ClientURL(), "JOBGEN_TOKEN"}, secret: []string{"wrong-token", "right-token"}}
	bad.checkDriver(t, s.ClientURL(), cluster.Options{Token: "wrong-token"}, "JOBGEN_TOKEN=wrong-token")
	bad.checkDriver(t, s.ClientURL(), cluster.Options{})
	bad.checkWorker(t, s.ClientURL(), "JOBGEN_TOKEN=wrong-token")
}

func TestPassword(t *testing.T) {
	s := startServer(t, &server.Options{JetStream: true, Username: "ada", Password: "right-password"})
	works(t, s.ClientURL(), cluster.Options{User: "ada", Password: "right-password"}, "JOBGEN_USER=ada", "JOBGEN_PASSWORD=right-password")
	bad := refused{kind: cluster.ErrCredentials, says: []string{"Options.Credentials"}, secret: []string{"wrong-password", "right-password"}}
	bad.checkDriver(t, s.ClientURL(), cluster.Options{User: "ada", Password: "wrong-password"}, "JOBGEN_USER=ada", "JOBGEN_PASSWORD=wrong-password")
	bad.checkWorker(t, s.ClientURL(), "JOBGEN_USER=ada", "JOBGEN_PASSWORD=wrong-password")

	// As part of the address.
	with := strings.Replace(s.ClientURL(), "://", "://ada:right-password@", 1)
	works(t, with, cluster.Options{})
	wrong := strings.Replace(s.ClientURL(), "://", "://ada:wrong-password@", 1)
	bad.says = append(bad.says, "ada:xxxxx@127.0.0.1")
	bad.checkDriver(t, wrong, cluster.Options{}, "JOBGEN_REPLICAS=1")
	bad.checkWorker(t, wrong)
	for _, e := range dialled(t, with, cluster.Options{}).WorkerEnv() {
		if strings.Contains(e, "password") || strings.Contains(e, "xxxxx") || strings.HasPrefix(e, "JOBGEN_WORKER=") && e != "JOBGEN_WORKER="+s.ClientURL() {
			t.Errorf("the environment of workers is to have an address without credentials: %s", e)
		}
	}
}

// TestSecretsInAddresses: an address that is no address is not shown whole either.
func TestSecretsInAddresses(t *testing.T) {
	for _, address := range []string{
		"nats://ada:sec/ret@127.0.0.1:1", "nats://ada:sec%zzret@127.0.0.1:1", "nats://sec ret@127.0.0.1:1", "nats://ada:secret@", "ada:secret@:x",
	} {
		_, err := cluster.Connect(context.Background(), address, cluster.Options{})
		if err == nil {
			t.Fatalf("%s: connected", address)
		}
		if strings.Contains(err.Error(), "sec") || strings.Contains(err.Error(), "ret@") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	t.Setenv("JOBGEN_BACKEND", "nats://ada:secret@127.0.0.1:1")
	t.Setenv("JOBGEN_REPLICAS", "2.5")
	_, err := probes().Run(context.Background(), repeated(2, probeIn{}))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error shows a secret: %v", err)
	}
	w := startWorker(t, "", "natz://ada:secret@127.0.0.1:1")
	if status := w.status(t); status != 2 || strings.Contains(w.String(), "secret") {
		t.Errorf("status %d, and it says %s", status, w.String())
	}
}

func TestNKey(t *testing.T) {
	seed, public := newUser(t)
	other, _ := newUser(t)
	s := startServer(t, &server.Options{JetStream: true, Nkeys: []*server.NkeyUser{{Nkey: public}}})
	right, wrong := writeFile(t, "right.seed", seed), writeFile(t, "wrong.seed", other)
	works(t, s.ClientURL(), cluster.Options{NKey: right}, "JOBGEN_NKEY="+right)
	bad := refused{kind: cluster.ErrCredentials, says: []string{"JOBGEN_NKEY"}, secret: []string{string(seed), string(other)}}
	bad.checkDriver(t, s.ClientURL(), cluster.Options{NKey: wrong}, "JOBGEN_NKEY="+wrong)
	bad.checkWorker(t, s.ClientURL(), "JOBGEN_NKEY="+wrong)

	missing := filepath.Join(t.TempDir(), "missing.seed")
	_, err := cluster.Connect(context.Background(), s.ClientURL(), cluster.Options{NKey: missing})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("the error does not name the missing file: %v", err)
	}
}

// TestCredentialsFile: JWTs, of an operator whose server has the accounts in memory.
func TestCredentialsFile(t *testing.T) {
	op := newOperator(t)
	s := startServer(t, op.server())
	right := op.creds(t, time.Time{})
	works(t, s.ClientURL(), cluster.Options{Credentials: right}, "JOBGEN_CREDS="+right)

	expired := op.creds(t, time.Now().Add(-time.Hour))
	foreign := newOperator(t).creds(t, time.Time{})
	for _, file := range []string{expired, foreign} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bad := refused{kind: cluster.ErrCredentials, says: []string{"JOBGEN_CREDS"}, secret: strings.Fields(string(content))[4:5]}
		bad.checkDriver(t, s.ClientURL(), cluster.Options{Credentials: file}, "JOBGEN_CREDS="+file)
		bad.checkWorker(t, s.ClientURL(), "JOBGEN_CREDS="+file)
	}

	missing := filepath.Join(t.TempDir(), "missing.creds")
	_, err := cluster.Connect(context.Background(), s.ClientURL(), cluster.Options{Credentials: missing})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("the error does not name the missing file: %v", err)
	}
	w := startWorker(t, "", s.ClientURL(), "JOBGEN_CREDS="+missing)
	if status := w.status(t); status != 1 || !strings.Contains(w.String(), missing) {
		t.Errorf("status %d, and it says %s", status, w.String())
	}
}

// TestCredentialsExpire: they are good when a run begins, and not any more when it is under way.
func TestCredentialsExpire(t *testing.T) {
	op := newOperator(t)
	s := startServer(t, op.server())
	w := startWorker(t, "", s.ClientURL(), "JOBGEN_CREDS="+op.creds(t, time.Time{}))
	brief := startWorker(t, "", s.ClientURL(), "JOBGEN_CREDS="+op.creds(t, time.Now().Add(4*time.Second)))
	c := dialled(t, s.ClientURL(), cluster.Options{Credentials: op.creds(t, time.Now().Add(6*time.Second))})
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	_, err := probes(jobgen.On(c)).Run(ctx, repeated(2, probeIn{Hold: true}))
	refused{kind: cluster.ErrCredentials, says: []string{"expired", "JOBGEN_CREDS"}}.check(t, err)

	if status := brief.status(t); status != 1 || !strings.Contains(brief.String(), cluster.ErrCredentials.Error()) {
		t.Errorf("a worker whose credentials expired: status %d, and it says %s", status, brief.String())
	}
	select {
	case <-w.ended:
		t.Errorf("a worker whose credentials are good ended as well: %s", w.String())
	default:
	}
}

// operator makes credentials.
type operator struct {
	keys    nkeys.KeyPair
	token   string
	account nkeys.KeyPair
	public  string // of the account
	claims  string
	system  [2]string // the public key and the claims of the account of the server itself
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{keys: must(nkeys.CreateOperator())(t), account: must(nkeys.CreateAccount())(t)}
	claims := jwt.NewOperatorClaims(must(o.keys.PublicKey())(t))
	o.token = must(claims.Encode(o.keys))(t)
	o.public = must(o.account.PublicKey())(t)
	account := jwt.NewAccountClaims(o.public)
	account.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
	o.claims = must(account.Encode(o.keys))(t)
	o.system[0] = must(must(nkeys.CreateAccount())(t).PublicKey())(t)
	o.system[1] = must(jwt.NewAccountClaims(o.system[0]).Encode(o.keys))(t)
	return o
}

func (o *operator) server() *server.Options {
	resolver := &server.MemAccResolver{}
	_ = resolver.Store(o.public, o.claims)
	_ = resolver.Store(o.system[0], o.system[1])
	claims, _ := jwt.DecodeOperatorClaims(o.token)
	return &server.Options{JetStream: true, TrustedOperators: []*jwt.OperatorClaims{claims}, AccountResolver: resolver, SystemAccount: o.system[0]}
}

// creds writes the credentials of a new user. The zero time stands for never.
func (o *operator) creds(t *testing.T, expires time.Time) string {
	t.Helper()
	seed, public := newUser(t)
	claims := jwt.NewUserClaims(public)
	if !expires.IsZero() {
		claims.Expires = expires.Unix()
	}
	token := must(claims.Encode(o.account))(t)
	return writeFile(t, "user.creds", must(jwt.FormatUserConfig(token, seed))(t))
}

func newUser(t *testing.T) (seed []byte, public string) {
	t.Helper()
	keys := must(nkeys.CreateUser())(t)
	return must(keys.Seed())(t), must(keys.PublicKey())(t)
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
