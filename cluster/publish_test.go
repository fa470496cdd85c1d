package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// A connection that breaks is made again; what the other side says of a certificate does not change.
func TestPassingNetwork(t *testing.T) {
	for _, v := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}, true},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, false},
		{errors.New("write: broken pipe"), false},
	} {
		if got := passing(explain("storing a chunk", fmt.Errorf("nats: %w", v.err))); got != v.want {
			t.Errorf("%v is passing: %v, want %v", v.err, got, v.want)
		}
	}
}
