//go:build unix

package jobgen_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

var errTold = errors.New("told to fail")

// die ends the process, or fails in another way.
func die(how string) error {
	switch how {
	case "error":
		return errTold
	case "panic":
		panic(errTold)
	case "goexit":
		runtime.Goexit()
	case "SIGKILL", "SIGTERM", "SIGABRT", "SIGSEGV", "SIGSTOP":
		syscall.Kill(os.Getpid(), map[string]syscall.Signal{"SIGKILL": syscall.SIGKILL, "SIGTERM": syscall.SIGTERM,
			"SIGABRT": syscall.SIGABRT, "SIGSEGV": syscall.SIGSEGV, "SIGSTOP": syscall.SIGSTOP}[how])
		select {} // it takes a moment
	case "exit 0":
		os.Exit(0)
	case "exit 3":
		os.Exit(3)
	case "map":
		runtime.GOMAXPROCS(4)
		m := map[int]int{}
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%10] = i
				}
			}()
		}
		select {}
	case "goroutine":
		go panic("in another goroutine")
		select {}
	case "stack":
		fmt.Println(deep(1))
	case "fault": // in another goroutine, for in a job's own it is a panic
		b, _ := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		go func() { b[0] = 1 }()
		select {}
	case "close in":
		syscall.Close(3)
	case "close out":
		syscall.Close(4)
	case "close control":
		syscall.Close(5)
	case "read":
		go syscall.Read(3, make([]byte, 9)) // of the next chunk
		time.Sleep(time.Millisecond)
	case "close all":
		for fd := 3; fd <= 7; fd++ {
			syscall.Close(fd)
		}
	case "close all and hang":
		for fd := 3; fd <= 7; fd++ {
			syscall.Close(fd)
		}
		select {}
	case "close stdio":
		os.Stdin.Close()
		os.Stdout.Close()
		os.Stderr.Close()
	case "garbage":
		syscall.Write(4, []byte("who reads this?\n"))
	case "zeros":
		syscall.Write(4, make([]byte, 100))
	case "hang":
		hang()
	case "hang on": // whatever it is asked
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP)
		hang()
	case "later": // when it is at rest
		time.AfterFunc(2*time.Millisecond, func() { os.Exit(3) })
	default:
		return fmt.Errorf("nobody knows how to %q", how)
	}
	return nil
}

//go:noinline
func hang() {
	for n := 0; ; n++ { // keeps the processor busy, which hides it from a dump that a signal asks for
		if n == -1 {
			return
		}
	}
}

// deep goes deeper than any stack.
func deep(n int) int {
	if n == 0 { // after an overflow of n
		return 0
	}
	return deep(n+1) + 1
}

// leak takes 4 GB, if nobody stops it.
func leak() int {
	var kept [][]byte
	for range 1 << 12 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	return len(kept)
}
