package cluster_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/jobgen/jobgen/cluster"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // of the certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key))(t)
	return &authority{cert: must(x509.ParseCertificate(der))(t), key: key, file: writePEM(t, "CERTIFICATE", der)}
}

// sign makes a certificate for addresses of this machine, and returns the files of it and of its key.
func (a *authority) sign(t *testing.T, until time.Time, ips ...string) (cert, key string) {
	t.Helper()
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	form := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "leaf of a test"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, ip := range ips {
		form.IPAddresses = append(form.IPAddresses, net.ParseIP(ip))
	}
	der := must(x509.CreateCertificate(rand.Reader, form, a.cert, &k.PublicKey, a.key))(t)
	return writePEM(t, "CERTIFICATE", der), writePEM(t, "EC PRIVATE KEY", must(x509.MarshalECPrivateKey(k))(t))
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	return writeFile(t, "file.pem", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// server has TLS; it asks clients for certificates if it is to verify them.
func (a *authority) server(t *testing.T, verify bool) *server.Options {
	t.Helper()
	cert, key := a.sign(t, time.Now().Add(time.Hour), "127.0.0.1")
	return &server.Options{JetStream: true, Authorization: "right-token", TLS: true, TLSTimeout: soon.Seconds(), TLSVerify: verify, TLSConfig: serverTLS(t, cert, key, a, verify)}
}

func serverTLS(t *testing.T, cert, key string, clients *authority, verify bool) *tls.Config {
	t.Helper()
	c := &tls.Config{Certificates: []tls.Certificate{must(tls.LoadX509KeyPair(cert, key))(t)}, MinVersion: tls.VersionTLS12}
	if verify {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients.pool()
	}
	return c
}

func TestTLS(t *testing.T) {
	ours := newAuthority(t)
	s := startServer(t, ours.server(t, false))
	url := strings.Replace(s.ClientURL(), "nats://", "tls://", 1)
	works(t, url, cluster.Options{Token: "right-token", CA: ours.file}, "JOBGEN_TOKEN=right-token", "JOBGEN_CA="+ours.file)
	t.Run("Options.TLS", func(t *testing.T) {
		dialled(t, url, cluster.Options{Token: "right-token", TLS: &tls.Config{RootCAs: ours.pool(), MinVersion: tls.VersionTLS12}})
	})
	other := newAuthority(t).file
	bad := refused{kind: cluster.ErrCertificate, says: []string{"x509", "Options.CA", "JOBGEN_CA"}, secret: []string{"right-token"}}
	bad.checkDriver(t, url, cluster.Options{Token: "right-token", CA: other}, "JOBGEN_TOKEN=right-token", "JOBGEN_CA="+other)
	bad.checkDriver(t, url, cluster.Options{Token: "right-token"}) // an authority that the machine does not know
	bad.checkWorker(t, url, "JOBGEN_TOKEN=right-token", "JOBGEN_CA="+other)

	missing := filepath.Join(t.TempDir(), "missing.pem")
	if _, err := cluster.Connect(context.Background(), url, cluster.Options{CA: missing}); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("the error does not name the missing file: %v", err)
	}
}

// TestCertificateOfAnotherName: the server is another one than it should be, or its certificate is too old.
func TestCertificateOfAnotherName(t *testing.T) {
	ours := newAuthority(t)
	for name, sign := range map[string]struct {
		until time.Time
		ip    string
	}{
		"other": {time.Now().Add(time.Hour), "127.0.0.9"},
		"old":   {time.Now().Add(-time.Hour), "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			cert, key := ours.sign(t, sign.until, sign.ip)
			s := startServer(t, &server.Options{JetStream: true, TLS: true, TLSTimeout: soon.Seconds(), TLSConfig: serverTLS(t, cert, key, nil, false)})
			bad := refused{kind: cluster.ErrCertificate, says: []string{"x509"}}
			bad.checkDriver(t, s.ClientURL(), cluster.Options{CA: ours.file})
		})
	}
}

func TestClientCertificate(t *testing.T) {
	ours := newAuthority(t)
	s := startServer(t, ours.server(t, true))
	cert, key := ours.sign(t, time.Now().Add(time.Hour))
	o := cluster.Options{Token: "right-token", CA: ours.file, Certificate: cert, Key: key}
	env := []string{"JOBGEN_TOKEN=right-token", "JOBGEN_CA=" + ours.file, "JOBGEN_CERT=" + cert, "JOBGEN_KEY=" + key}
	works(t, s.ClientURL(), o, env...)

	bad := refused{kind: cluster.ErrCredentials, says: []string{"client certificate", "Options.Certificate", "JOBGEN_CERT"}, secret: []string{"right-token"}}
	bad.checkDriver(t, s.ClientURL(), cluster.Options{Token: "right-token", CA: ours.file}, env[:2]...)
	bad.checkWorker(t, s.ClientURL(), env[:2]...)
	cert, key = newAuthority(t).sign(t, time.Now().Add(time.Hour))
	bad.checkDriver(t, s.ClientURL(), cluster.Options{Token: "right-token", CA: ours.file, Certificate: cert, Key: key})
}

// TestServerWantsTLS: an address without tls:// does not matter.
func TestServerWantsTLS(t *testing.T) {
	s := startServer(t, newAuthority(t).server(t, false))
	bad := refused{kind: cluster.ErrCertificate, says: []string{"JOBGEN_CA"}, secret: []string{"right-token"}}
	bad.checkDriver(t, s.ClientURL(), cluster.Options{Token: "right-token"})
}
