// Package cluster runs jobgen's jobs on many machines, over NATS JetStream (https://docs.nats.io).
//
// A backend comes from [Connect], for servers that exist, or from [Embedded], which starts a server and workers on this
// machine:
//
//	c, err := cluster.Connect(ctx, "tls://nats.example.com", cluster.Options{Credentials: "driver.creds"})
//	defer c.Close()
//	results, err := stats.NewVarianceRunner(stats.Variance{}, jobgen.On(c)).Run(ctx, inputs)
//
// With the package imported, JOBGEN_BACKEND=nats://host moves the runs of a program that is already built, and the same
// binary started with JOBGEN_WORKER=nats://host is a worker: an agent that holds the connection and runs jobs in child
// processes, so that a crash is one job's. Workers join and leave at any time.
//
// The program that starts a run is its driver. The driver, not the server, guarantees that each job has exactly one
// result: it keeps account of the chunks that it has sent, takes the first result of each job, and sends again what was
// lost. What JetStream adds is that chunks and results outlive any process: a run with a name ([Cluster.Resumable]) goes
// on where a driver that died has stopped.
//
// On the server a run is two streams, JGJ_<run> for chunks and JGR_<run> for results, an object bucket for what is large, and
// a manifest in the bucket JG_RUNS. All of it is removed when the run ends.
package cluster
