//go:build unix

package jobgen_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// roles are played by this test's binary, started again: what happens to a whole program.
var roles = map[string]func() int{
	"forgetful": func() int { // without Init
		r := mortals(mortal{})
		_, err := r.Run(context.Background(), []string{"a"})
		fmt.Println(err)
		return 0
	},
	"worker without Init": func() int {
		os.Setenv("JOBGEN_WORKER", "nats://user:secret@host:4222") // not before, since this binary would call Init then
		_, err := jobgen.Map(context.Background(), []int{1}, func(context.Context, int) (int, error) { panic("it runs jobs") })
		fmt.Println(err)
		return 0
	},
	"parent": func() int {
		jobgen.Init()
		watchTest()
		r := mortals(mortal{}, jobgen.Observe(jobgen.Observer{WorkerStarted: func(_ jobgen.RunInfo, worker string) { fmt.Println("started", pidOf(worker)) }}))
		_, err := r.Run(context.Background(), slices.Repeat([]string{atDo + " hang"}, 2))
		fmt.Println(err)
		return 0
	},
	"print": func() int {
		jobgen.Init()
		r := mortals(mortal{})
		_, err := r.Run(context.Background(), []string{"a", "print hello"})
		fmt.Println(err)
		return 0
	},
}

func init() {
	playRole = func() (int, bool) {
		if os.Getenv("JOBGEN_WORKER") != "" {
			dieEarly()
		}
		role := roles[os.Getenv("TEST_ROLE")]
		if role == nil || os.Getenv("JOBGEN_WORKER") != "" {
			return 0, false
		}
		return role(), true
	}
}

func play(role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_PROCESS=1", "TEST_ROLE="+role)
	return cmd
}
