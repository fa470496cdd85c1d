package jobgen

import (
	"encoding/binary"
	"errors"
	"net"
	"os"

	"github.com/jobgen/jobgen/runtime/internal/proc"
	"github.com/jobgen/jobgen/sharedmem"
)

// fetchFrom has segments that handles lead to be asked for over a socket.
func fetchFrom(fds *os.File) error {
	c, err := net.FileConn(fds)
	if err != nil {
		return err
	}
	fds.Close()
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return errors.New("the socket for descriptors is none")
	}
	one := make(chan struct{}, 1)
	sharedmem.OnMissing(func(id uint64) (info sharedmem.Segment, f *os.File, err error) {
		one <- struct{}{}
		defer func() { <-one }()
		if _, err = conn.Write(binary.LittleEndian.AppendUint64(nil, id)); err != nil {
			return info, nil, err
		}
		f, err = proc.ReceiveFile(conn, &info)
		return info, f, err
	})
	return nil
}
