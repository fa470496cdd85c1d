package sharedmem_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/jobgen/jobgen/sharedmem"
)

// A test that needs another process starts its own binary again, in a role. What the role needs is on
// its standard input, the segment on descriptor 3; what it has to say, it prints.
const roleVariable = "JOBGEN_SHAREDMEM_TEST_ROLE"

// part is what a child is given.
type part struct {
	Segment sharedmem.Segment
	Handle  []byte
}

var roles = map[string]func(p part, in *bufio.Reader) error{}

func playRole(name string) int {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	var p part
	if err == nil {
		err = json.Unmarshal(line, &p)
	}
	if err == nil {
		err = roles[name](p, in)
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

// child is a process in a role.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// shared skips the test where there is no other process to share with.
func shared(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the tests hand descriptors on as Unix does")
	}
	arena := newArena(t, sharedmem.ArenaOptions{})
	if !arena.Stats().Shared {
		t.Skip("arenas are on the heap in this build")
	}
}

// start starts a process with an array.
func start[T any](t *testing.T, role string, a sharedmem.Array[T], opts ...func(*syscall.SysProcAttr)) *child {
	t.Helper()
	handle, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	info, f, err := sharedmem.Export(a.Segment())
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = new(syscall.SysProcAttr)
	for _, o := range opts {
		o(c.cmd.SysProcAttr)
	}
	c.cmd.ExtraFiles = []*os.File{f}
	c.in, _ = c.cmd.StdinPipe()
	out, _ := c.cmd.StdoutPipe()
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.in.Close()
		c.cmd.Wait()
	})
	line, _ := json.Marshal(part{info, handle})
	c.say(string(line))
	return c
}

func (c *child) say(line string) { fmt.Fprintln(c.in, line) }

// hear returns the next line that the child prints.
func (c *child) hear() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the child says no more: %v", err)
	}
	return strings.TrimSpace(line)
}

func (c *child) expect(line string) {
	c.t.Helper()
	if got := c.hear(); got != line {
		c.t.Fatalf("the child says %q, want %q", got, line)
	}
}

// array attaches the segment of a role and returns the array.
func array[T any](p part) (a sharedmem.Array[T], err error) {
	if _, err = attach(p); err != nil {
		return a, err
	}
	return a, a.UnmarshalBinary(p.Handle)
}

// attached keeps attachments, as a backend does.
var attached []*sharedmem.Attachment

func attach(p part) (*sharedmem.Attachment, error) {
	at, err := sharedmem.Attach(p.Segment, os.NewFile(3, "segment"))
	attached = append(attached, at)
	return at, err
}

// wait waits for a line from the parent.
func wait(in *bufio.Reader) { in.ReadString('\n') }

func init() {
	roles["write"] = func(p part, in *bufio.Reader) error {
		a, err := array[float64](p)
		if err != nil {
			return err
		}
		for i := range a.Shape()[0] {
			a.Set(a.At(i, 0)*2, i, 1)
		}
		fmt.Println("written")
		wait(in)
		fmt.Println(a.At(0, 2))
		return nil
	}
	roles["fetch"] = func(p part, _ *bufio.Reader) error {
		asked := 0
		sharedmem.OnMissing(func(id uint64) (sharedmem.Segment, *os.File, error) {
			if asked++; id != p.Segment.ID {
				return sharedmem.Segment{}, nil, errors.New("nobody has it")
			}
			return p.Segment, os.NewFile(3, "segment"), nil
		})
		var a, b sharedmem.Array[float64]
		if err := a.UnmarshalBinary(p.Handle); err != nil {
			return err
		}
		if err := b.UnmarshalBinary(p.Handle); err != nil {
			return err
		}
		fmt.Println(asked, a.At(1, 0), b.At(1, 0))
		wrong := append([]byte(nil), p.Handle...)
		wrong[1]++
		fmt.Println(b.UnmarshalBinary(wrong))
		return sharedmem.Detach(p.Segment.ID)
	}
}

// A process sees the memory of another one, both ways.
func TestOtherProcessSeesTheSameMemory(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.Alloc[float64](arena, 1000, 3))
	for i := range 1000 {
		a.Set(float64(i), i, 0)
	}
	c := start(t, "write", a)
	c.expect("written")
	for i := range 1000 {
		if got := a.At(i, 1); got != float64(2*i) {
			t.Fatalf("row %d: %v", i, got)
		}
	}
	a.Set(7.5, 0, 2)
	c.say("")
	c.expect("7.5")
}

func TestSegmentsAreFetchedWhenTheyAreMissing(t *testing.T) {
	shared(t)
	arena := newArena(t, sharedmem.ArenaOptions{})
	a := must[float64](t)(sharedmem.CopyOf(arena, []float64{1, 2, 3, 4}, 2, 2))
	c := start(t, "fetch", a)
	c.expect("1 3 3")
	contains(t, c.hear(), "cannot be had: nobody has it")
	if err := c.cmd.Wait(); err != nil {
		t.Error(err)
	}
}
