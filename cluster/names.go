package cluster

import (
	"fmt"
	"time"
)

// What is on the server. The permissions in docs/cluster.md are made of these names.
const (
	runsBucket    = "JG_RUNS"    // manifests, and the leases of their drivers
	workersBucket = "JG_WORKERS" // who is there
	workConsumer  = "jgw"        // of a run's chunks; all workers share it
	readConsumer  = "jgd"        // of a run's results; the driver's

	driverInbox = "_INBOX_jgd"
	workerInbox = "_INBOX_jgw"
)

func workStream(run string) string     { return "JGJ_" + run }
func resultStream(run string) string   { return "JGR_" + run }
func blobBucket(run string) string     { return "JG_BLOB_" + run }
func workSubject(run string) string    { return "jg.j." + run }
func resultSubject(run string) string  { return "jg.r." + run }
func controlSubject(run string) string { return "jg.c." + run } // the driver's, to all workers
func askSubject(run string) string     { return "jg.q." + run } // workers ask the driver
func eventSubject(run string) string   { return "jg.e." + run } // workers tell the driver
func manifestKey(run string) string    { return "run." + run }
func leaseKey(run string) string       { return "lease." + run }

// checkRunID reports a run id that cannot be part of a stream's name.
func checkRunID(id string) error {
	ok := len(id) > 0 && len(id) <= 64
	for _, c := range id {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	}
	if !ok {
		return fmt.Errorf("cluster: the run id %q: want 1 to 64 letters, digits, '-' and '_'", id)
	}
	return nil
}

// What is shorter in tests.
var (
	serverGone    = 2 * time.Minute   // how long a driver or a worker goes on without a server
	presenceEvery = 3 * time.Second   // a worker says that it is there …
	presenceGone  = 4 * presenceEvery // … and is gone when it has not for so long
	leaseEvery    = 2 * time.Second   // a driver renews its lease …
	leaseGone     = 4 * leaseEvery    // … and is dead when it has not for so long
	restAfter     = time.Minute       // a run without a driver keeps its processes for so long
)

// What is waited for, and how long.
const (
	apiTimeout  = 5 * time.Second        // for an answer of the server
	inlineBytes = 256 << 10              // larger inputs and results are blobs
	partBytes   = 16 << 20               // of a blob: R3 servers are slow with larger objects
	againTime   = 30 * time.Second       // for a server to answer, when a run or a worker begins
	partTime    = time.Minute            // for one part of a blob to be stored
	leaveTime   = 2 * time.Second        // for the last results of a worker that has no more time
	closeTime   = 10 * time.Second       // for workers to close at the end of a run
	cancelGrace = 2 * time.Second        // for jobs that were told to end
	cancelHeard = 150 * time.Millisecond // for workers to say that they run a chunk that is to end
)
