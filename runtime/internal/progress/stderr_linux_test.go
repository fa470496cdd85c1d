package progress

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A real terminal, of 50 columns.
func TestFileIsTerminal(t *testing.T) {
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer person.Close()
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	file, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	if err := unix.IoctlSetWinsize(int(file.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 50}); err != nil {
		t.Fatal(err)
	}

	t.Setenv("TERM", "xterm")
	display := onFile(file)
	if got := display.columns(); got != 49 {
		t.Errorf("%d columns can be used, want 49", got)
	}
	bar := display.Start("a label that takes more than a third of it", 10)
	bar.Add(10, 0)
	bar.Done(nil)
	var seen [4096]byte
	n, err := person.Read(seen[:])
	if got := string(seen[:n]); err != nil || !strings.HasPrefix(got, "\ra label that ta… ") {
		t.Errorf("a person sees %q, %v", got, err)
	}

	t.Setenv("TERM", "dumb")
	if onFile(file).terminal {
		t.Error("a dumb terminal cannot erase a line")
	}
}
