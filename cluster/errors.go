package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What can be wrong with servers. A [*ServerError] unwraps to one of them.
var (
	ErrUnreachable   = errors.New("no server answers")
	ErrCredentials   = errors.New("the server refuses the credentials")
	ErrPermission    = errors.New("a permission is missing")
	ErrInsecure      = errors.New("the server has no TLS")
	ErrCertificate   = errors.New("the server's certificate is not trusted")
	ErrNoJetStream   = errors.New("the server has no JetStream")
	ErrStoreFull     = errors.New("the server's store is full")
	ErrTooLarge      = errors.New("a message is larger than the server allows")
	ErrFenced        = errors.New("another driver has taken over the run")
	ErrRunInProgress = errors.New("another driver is running it")
	ErrOtherRun      = errors.New("the run of that name is another one")
)

// ServerError says what could not be done, why, and what to change.
type ServerError struct {
	Doing  string // "storing a chunk of run nightly"
	Kind   error  // one of the errors above, or nil
	Remedy string // may be empty
	Err    error  // what the client library says
}

func (e *ServerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster: %s: ", e.Doing)
	if e.Kind != nil {
		b.WriteString(e.Kind.Error())
	}
	if e.Err != nil && e.Err != e.Kind {
		if e.Kind != nil {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if e.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

// Unwrap returns Kind and Err.
func (e *ServerError) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// Codes of the server that the client library has no names for,
// https://github.com/nats-io/nats-server/blob/main/server/errors.json.
const (
	codeNoResources    = 10023 // insufficient resources
	codeStorageLimit   = 10047 // insufficient storage resources
	codeStoreFailed    = 10077 // of a publish; "maximum bytes exceeded" is one reason
	codeReplicasNoFit  = 10074 // replicas > 1 not supported in non-clustered mode
	codeNoPeers        = 10005 // no suitable peers for placement
	codeAccountStorage = 10002 // resource limits exceeded for account
)

// explain makes a *ServerError of what the client library returned.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *ServerError
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	e := &ServerError{Doing: doing, Err: err}
	var api *jetstream.APIError
	text := err.Error()
	switch {
	case isAuth(err):
		e.Kind, e.Remedy = ErrCredentials, "check Options.Credentials, NKey, Token or User; of workers, and of drivers with JOBGEN_BACKEND, "+envCreds+", "+envNKey+", "+envToken+", "+envUser
	case strings.HasPrefix(doing, "connecting") && errors.Is(err, fs.ErrNotExist):
		e.Remedy = "check Options.Credentials, CA, Certificate and Key, or " + envCreds + ", " + envCA + ", " + envCert + " and " + envKey
	case errors.Is(err, ErrInsecure):
		e.Kind, e.Err = ErrInsecure, nil
		if err != ErrInsecure {
			e.Err = err
		}
		e.Remedy = insecureRemedy
	case hungUp(err) || strings.Contains(text, "certificate required") || strings.Contains(text, "tls: bad certificate") || strings.Contains(text, "unknown certificate authority") && strings.Contains(text, "remote error"):
		e.Kind, e.Remedy = ErrCredentials, "the server wants a client certificate that it trusts: give it with Options.Certificate and Key, or "+envCert+" and "+envKey
	case errors.Is(err, nats.ErrPermissionViolation):
		e.Kind, e.Remedy = ErrPermission, "grant it to this user; docs/cluster.md lists what drivers and workers need"
	case errors.Is(err, nats.ErrSecureConnWanted), errors.Is(err, nats.ErrSecureConnRequired):
		e.Kind, e.Remedy = ErrInsecure, insecureRemedy
	case strings.Contains(text, "x509:") || strings.Contains(text, "tls:"):
		e.Kind, e.Remedy = ErrCertificate, "give the authority's certificate with Options.CA or "+envCA+", and address the server by a name that is in its certificate"
	case errors.Is(err, nats.ErrNoServers), strings.HasPrefix(doing, "connecting") && isNetwork(err):
		e.Kind, e.Remedy = ErrUnreachable, "is the address right, and the server running?"
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		e.Kind, e.Remedy = ErrNoJetStream, "start it with -js, and enable JetStream for the account"
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		e.Kind, e.Remedy = ErrTooLarge, "raise max_payload of the server"
	case errors.As(err, &api):
		e.explainAPI(api)
	}
	return e
}

func (e *ServerError) explainAPI(api *jetstream.APIError) {
	switch api.ErrorCode {
	case codeNoResources, codeStorageLimit, codeStoreFailed, codeAccountStorage:
		e.Kind, e.Remedy = ErrStoreFull, "give the server more room (max_file_store), the account more storage, or the run a smaller Options.MaxBytes"
	case codeReplicasNoFit, codeNoPeers:
		e.Remedy = "Options.Replicas asks for more servers than there are"
	}
}

const insecureRemedy = "enable TLS on the server, or set Options.AllowInsecure or " + envInsecure + "=1 if the network between is trusted"

// isAuth reports whether a server refuses the credentials.
func isAuth(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAccountAuthExpired) ||
		errors.Is(err, nats.ErrAuthRevoked) || strings.Contains(strings.ToLower(err.Error()), "authorization violation")
}

// hungUp reports whether a server has closed a connection of which the client believes that its certificate was taken. In TLS 1.3 the
// client is through before the server has looked at it, and the reason is lost when the client writes too early.
func hungUp(err error) bool {
	return strings.Contains(err.Error(), "closed by remote after TLS handshake")
}

// isNetwork reports whether an error is of the way to the server.
func isNetwork(err error) bool {
	var file *fs.PathError
	if errors.As(err, &file) {
		return false
	}
	var of net.Error // a refused connection, a name that is not known, …
	return errors.As(err, &of) || errors.Is(err, io.EOF) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoInfoReceived)
}

// isFull reports whether there is no room now, which changes when chunks and results are taken off.
func isFull(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode {
		case codeNoResources, codeStorageLimit, codeStoreFailed, codeAccountStorage:
			return true
		}
	}
	return errors.Is(err, ErrStoreFull)
}

// isGone reports whether a stream or consumer is no more: the run has ended, or the server lost it.
func isGone(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrBucketNotFound)
}

// NoWorkersError says that no worker can run a run.
type NoWorkersError struct {
	Run     string
	Workers int      // that are there
	Reasons []string // why not, one for each: "host (pid 4711): another build of the program"
}

func (e *NoWorkersError) Error() string {
	var b strings.Builder
	if e.Workers == 0 {
		fmt.Fprintf(&b, "cluster: run %s: there are no workers; start some: the same binary with JOBGEN_WORKER=nats://…", e.Run)
		return b.String()
	}
	s := "s"
	if e.Workers == 1 {
		s = ""
	}
	fmt.Fprintf(&b, "cluster: run %s: %d worker%s, 0 compatible", e.Run, e.Workers, s)
	const shown = 5
	for i, r := range e.Reasons {
		if i == shown {
			fmt.Fprintf(&b, "\n\tand %d more", len(e.Reasons)-shown)
			break
		}
		b.WriteString("\n\t" + r)
	}
	return b.String()
}
