package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if os.Getenv("QUICKSTART") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestReadme has the README show this program and what it prints.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "package main")
	code = strings.Replace(code, "go run github.com/jobgen/jobgen/cmd/jobgen", "go tool jobgen", 1)
	if !strings.Contains(string(readme), "```go\npackage main"+code+"```") {
		t.Error("the README does not show examples/quickstart/main.go as it is")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "QUICKSTART=1", "JOBGEN_WORKERS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(readme), "```\n"+string(out)+"```") {
		t.Errorf("the README does not show the output, which is\n%s", out)
	}
}
