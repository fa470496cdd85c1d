package cluster_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/jobgen/jobgen/cluster"
	jobgen "github.com/jobgen/jobgen/runtime"
)

// TestMain also makes this program what tests start: a server, a worker, or a driver that can be killed.
func TestMain(m *testing.M) {
	cluster.ShortTimes()
	serveIfTold()
	faultsIfTold()
	jobgen.Init()
	driveIfTold()
	for _, e := range os.Environ() { // what a developer has set would move the tests elsewhere
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "JOBGEN_") && name != "JOBGEN_SLOW_TESTS" {
			os.Unsetenv(name)
		}
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "5"); err != nil { // what they do most is wait
		panic(err)
	}
	// The client library starts this goroutine for each object that it puts; when the object is there before the goroutine
	// has begun, it finds no channel any more and waits for ever (nats.go 1.55.0, jetstream/publish.go).
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}
