package jobgen

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"sync"

	"github.com/jobgen/jobgen/sharedmem"
)

// RegisterError makes errors known by themselves on both sides, so that errors.Is holds for them when a
// job returns one, or wraps it, in another process. It is called with package-level variables, from
// init functions or their like, in the same order in all processes of a program.
func RegisterError(errs ...error) {
	sentinels.Lock()
	defer sentinels.Unlock()
	for _, err := range errs {
		sentinels.add(err)
	}
}

// sentinels are errors that are told apart by what they are, and not by what they say.
var sentinels = func() *sentinelTable {
	t := &sentinelTable{byName: map[string]error{}, names: map[error]string{}}
	for _, err := range []error{
		ErrGoexit, ErrNotRun,
		context.Canceled, context.DeadlineExceeded,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, io.ErrNoProgress, io.ErrShortBuffer, io.ErrShortWrite,
		fs.ErrInvalid, fs.ErrPermission, fs.ErrExist, fs.ErrNotExist, fs.ErrClosed, fs.SkipAll, fs.SkipDir,
		os.ErrDeadlineExceeded, os.ErrNoDeadline, os.ErrProcessDone,
		net.ErrClosed, net.ErrWriteToConnected,
		strconv.ErrRange, strconv.ErrSyntax, errors.ErrUnsupported,
		bufio.ErrTooLong, bufio.ErrBufferFull, bytes.ErrTooLarge, exec.ErrNotFound, exec.ErrDot, exec.ErrWaitDelay,
		sharedmem.ErrClosed,
	} {
		t.add(err)
	}
	return t
}()

type sentinelTable struct {
	sync.RWMutex
	byName map[string]error
	names  map[error]string
}

// add names an error by what it says. A second one that says the same gets a number.
func (t *sentinelTable) add(err error) {
	if err == nil || !reflect.ValueOf(err).Comparable() || t.names[err] != "" {
		return
	}
	name := err.Error()
	for n := 2; t.byName[name] != nil; n++ {
		name = fmt.Sprintf("%s (%d)", err, n)
	}
	t.byName[name], t.names[err] = err, name
}

func (t *sentinelTable) name(err error) string {
	if !reflect.ValueOf(err).Comparable() { // of a comparable type a value may hold others in an interface
		return ""
	}
	t.RLock()
	defer t.RUnlock()
	return t.names[err]
}

func (t *sentinelTable) find(name string) error {
	t.RLock()
	defer t.RUnlock()
	return t.byName[name]
}
