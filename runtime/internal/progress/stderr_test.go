package progress

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const childVariable = "JOBGEN_PROGRESS_TEST_CHILD"

// runAsChild is what TestBrokenStderr starts: a run whose standard error nobody reads.
func runAsChild() bool {
	if os.Getenv(childVariable) == "" {
		return false
	}
	bar := Stderr().Start("unread", 3)
	bar.Add(3, 0)
	bar.Done(nil)
	Stderr().Start("unread", 3).Done(nil)
	os.Stdout.WriteString("survived")
	return true
}

func TestBrokenStderr(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	child.Stderr = write
	out, err := child.Output()
	write.Close()
	if err != nil || string(out) != "survived" {
		t.Errorf("the run died of its progress bar: %v, %q", err, out)
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	display := onFile(file)
	bar := display.Start("to a file", 10)
	bar.Add(10, 1)
	bar.Done(nil)
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); !strings.HasPrefix(got, "to a file: 10 of 10 (100 %), ") || !strings.HasSuffix(got, ", 1 failed\n") {
		t.Errorf("the file holds %q", got)
	}
}
