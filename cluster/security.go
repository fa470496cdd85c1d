package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
)

// secure returns what the options say about TLS and credentials. Without TLS nothing is sent to a server that is
// elsewhere than on loopback, the credentials least of all.
func (o *Options) secure(urls []string) ([]nats.Option, error) {
	var opts []nats.Option
	remote := ""
	for _, u := range urls {
		local, err := onLoopback(u)
		if err != nil {
			return nil, fmt.Errorf("cluster: the address %q: %w", redact([]string{u}), err)
		}
		if !local {
			remote = u
		}
	}
	tlsWanted := o.TLS != nil || o.CA != "" || o.Certificate != ""
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	} else if tlsWanted || remote != "" && !o.AllowInsecure {
		opts = append(opts, nats.Secure())
	}
	if !tlsWanted && remote == "" && !o.AllowInsecure {
		// Servers tell of others, and a name may lead anywhere.
		opts = append(opts, nats.SetCustomDialer(&loopbackDialer{net.Dialer{Timeout: apiTimeout}}))
	}
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	if o.Certificate != "" {
		opts = append(opts, nats.ClientCert(o.Certificate, o.Key))
	}
	switch {
	case o.Credentials != "":
		opts = append(opts, nats.UserCredentials(o.Credentials))
	case o.NKey != "":
		opt, err := nats.NkeyOptionFromSeed(o.NKey)
		if err != nil {
			return nil, fmt.Errorf("cluster: the nkey in %s: %w", o.NKey, err)
		}
		opts = append(opts, opt)
	case o.Token != "":
		opts = append(opts, nats.Token(o.Token))
	case o.User != "":
		opts = append(opts, nats.UserInfo(o.User, o.Password))
	}
	return opts, nil
}

// onLoopback reports whether an address is of this machine, so that nobody else is on the way.
func onLoopback(address string) (bool, error) {
	if !strings.Contains(address, "://") {
		address = "nats://" + address
	}
	u, err := url.Parse(address)
	if err != nil { // its text may show a password
		return false, errors.New("it cannot be understood; want nats://host:4222, and credentials by Options or the environment")
	}
	host := u.Hostname()
	if host == "" {
		return false, errors.New("it names no host; want nats://host:4222")
	}
	if host == "localhost" {
		return true, nil
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback(), nil
}

// loopbackDialer reaches this machine only.
type loopbackDialer struct{ net.Dialer }

func (d *loopbackDialer) Dial(network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%w, and %s is elsewhere than on loopback", ErrInsecure, host)
	}
	return d.Dialer.Dial(network, address)
}
