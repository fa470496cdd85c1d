package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/jobgen/jobgen/cluster"
)

// TestSeveralAddresses: one of several servers is enough.
func TestSeveralAddresses(t *testing.T) {
	s := startServer(t, &server.Options{JetStream: true, Authorization: "right-token"})
	both := "nats://" + deadPort(t) + "," + s.ClientURL()
	works(t, both, cluster.Options{Token: "right-token"}, "JOBGEN_TOKEN=right-token")
	works(t, s.ClientURL()+", "+deadPort(t), cluster.Options{Token: "right-token"}, "JOBGEN_TOKEN=right-token")

	// What is wrong with the one that answers is worth more than that the other one does not, whichever is tried last.
	bad := refused{kind: cluster.ErrCredentials, says: []string{s.ClientURL()}, secret: []string{"wrong-token"}}
	for range 6 {
		bad.checkDriver(t, both, cluster.Options{Token: "wrong-token"})
	}
	bad.checkWorker(t, both, "JOBGEN_TOKEN=wrong-token")
}

func TestUnreachable(t *testing.T) {
	for _, address := range []string{"nats://" + deadPort(t), "nats://" + deadPort(t) + "," + deadPort(t), "nats://name.invalid:4222"} {
		bad := refused{kind: cluster.ErrUnreachable, says: []string{"is the address right"}}
		bad.checkDriver(t, address, cluster.Options{Token: "token"}, "JOBGEN_TOKEN=token")
	}
	t.Run("silent", func(t *testing.T) { // somebody listens and says nothing
		l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		defer l.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		_, err := cluster.Connect(ctx, "nats://"+l.Addr().String(), cluster.Options{})
		if !errors.Is(err, cluster.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		l.Close()
	})
}

// TestNoJetStream: the server is there, and does not store anything.
func TestNoJetStream(t *testing.T) {
	s := startServer(t, &server.Options{})
	bad := refused{kind: cluster.ErrNoJetStream, says: []string{"-js"}}
	bad.checkDriver(t, s.ClientURL(), cluster.Options{}, "JOBGEN_REPLICAS=1")
	bad.checkWorker(t, s.ClientURL())
}

// TestNoTLS: to a server elsewhere than on loopback nothing is sent without TLS, unless that is allowed.
func TestNoTLS(t *testing.T) {
	ip := outerAddress(t)
	s := startServer(t, &server.Options{JetStream: true, Host: ip, Authorization: "right-token"})
	url := fmt.Sprintf("nats://%s", s.Addr())
	bad := refused{kind: cluster.ErrInsecure, says: []string{"JOBGEN_INSECURE=1", "Options.AllowInsecure"}, secret: []string{"right-token"}}
	bad.checkDriver(t, url, cluster.Options{Token: "right-token"}, "JOBGEN_TOKEN=right-token")
	bad.checkWorker(t, url, "JOBGEN_TOKEN=right-token")
	works(t, url, cluster.Options{Token: "right-token", AllowInsecure: true}, "JOBGEN_TOKEN=right-token", "JOBGEN_INSECURE=1")
}

// TestNothingLeaves: a server without TLS hears not a byte of a client that has credentials for it.
func TestNothingLeaves(t *testing.T) {
	l := must(net.Listen("tcp", net.JoinHostPort(outerAddress(t), "0")))(t)
	defer l.Close()
	heard := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			heard <- err.Error()
			return
		}
		defer c.Close()
		fmt.Fprint(c, `INFO {"server_id":"x","version":"2.15.2","proto":1,"host":"0.0.0.0","port":4222,"max_payload":1048576,"auth_required":true}`+"\r\n")
		_ = c.SetReadDeadline(time.Now().Add(soon))
		text, _ := bufio.NewReader(c).ReadString('\n')
		heard <- text
	}()
	_, err := cluster.Connect(context.Background(), "nats://"+l.Addr().String(), cluster.Options{User: "ada", Password: "secret"})
	refused{kind: cluster.ErrInsecure, secret: []string{"secret"}}.check(t, err)
	if text := <-heard; text != "" {
		t.Errorf("the server heard %q", text)
	}
}

// TestNamesAndGossip: what a loopback server tells of other servers is not followed without TLS.
func TestNamesAndGossip(t *testing.T) {
	ip := outerAddress(t)
	outer := must(net.Listen("tcp", net.JoinHostPort(ip, "0")))(t)
	defer outer.Close()
	called := make(chan bool, 16)
	go func() {
		for {
			c, err := outer.Accept()
			if err != nil {
				return
			}
			called <- true
			c.Close()
		}
	}()
	inner := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	go func() {
		c, err := inner.Accept()
		if err != nil {
			return
		}
		inner.Close()
		fmt.Fprintf(c, `INFO {"server_id":"x","version":"2.15.2","proto":1,"headers":true,"max_payload":1048576,"connect_urls":[%q]}`+"\r\n", outer.Addr())
		for r := bufio.NewScanner(c); r.Scan(); {
			if r.Text() == "PING" {
				fmt.Fprint(c, "PONG\r\n")
				break
			}
		}
		time.Sleep(50 * time.Millisecond)
		c.Close()
	}()
	dialled(t, "nats://"+inner.Addr().String(), cluster.Options{Token: "right-token"})
	select { // the client tries all the servers that it knows of, several times a second
	case <-called:
		t.Error("a server elsewhere than on loopback was called without TLS")
	case <-time.After(2 * time.Second):
	}
}

// outerAddress is an address of this machine that others can reach.
func outerAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Skip("the addresses of this machine cannot be had: ", err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			if l, err := net.Listen("tcp", net.JoinHostPort(n.IP.String(), "0")); err == nil {
				l.Close()
				return n.IP.String()
			}
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}
