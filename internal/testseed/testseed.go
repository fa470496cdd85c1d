// Package testseed makes random tests repeatable: they try the same in each run, unless JOBGEN_TEST_SEED is set to another
// seed, or to "random". Importing it seeds rapid; tests that draw numbers themselves ask for [Seed].
//
//	JOBGEN_TEST_SEED=random go test -count=1 ./...
//
// -count=1 is needed, because the go command does not know that what is read here decides on a test's outcome.
package testseed

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	_ "pgregory.net/rapid" // its flags are there before they are set here
)

var seed uint64 = 1

// Seed returns the seed of the tests, which is never 0: to rapid that would mean any.
func Seed() uint64 { return seed }

func init() {
	switch s := os.Getenv("JOBGEN_TEST_SEED"); s {
	case "":
	case "random":
		seed = rand.Uint64() | 1
	default:
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil || seed == 0 {
			panic(fmt.Sprintf("JOBGEN_TEST_SEED is %q: it has to be a number from 1 on, or random", s))
		}
	}
	if err := flag.Set("rapid.seed", strconv.FormatUint(seed, 10)); err != nil {
		panic(err)
	}
}
