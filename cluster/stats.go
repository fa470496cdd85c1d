package cluster

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// Stats counts what the runs of a [Cluster] have met, those under way included. A run's own numbers are in the record "run
// ended on the cluster" of its [jobgen.Logger], at level Debug if only Chunks is not 0, otherwise at level Info.
type Stats struct {
	Chunks     int64 // of jobs, sent to workers
	Resent     int64 // chunks sent once more, because the server had lost them, their inputs or their results
	Duplicates int64 // results that came for a job that had one, and were ignored
	Recalled   int64 // jobs that were not run, since an earlier driver of the run had got their results
	Remade     int64 // times that the server had lost a run, and it was made anew
}

// Stats returns what was counted so far.
func (c *Cluster) Stats() Stats { return c.counts.read() }

// Things to count.
const (
	chunksSent = iota
	chunksResent
	duplicateResults
	jobsRecalled
	runsRemade
	countedThings
)

type counters [countedThings]atomic.Int64

func (c *counters) read() Stats {
	return Stats{
		Chunks: c[chunksSent].Load(), Resent: c[chunksResent].Load(), Duplicates: c[duplicateResults].Load(),
		Recalled: c[jobsRecalled].Load(), Remade: c[runsRemade].Load(),
	}
}

// count counts for the run and for the cluster.
func (s *session) count(thing int, n int) {
	s.counts[thing].Add(int64(n))
	s.total[thing].Add(int64(n))
}

// report says how the run went.
func (s *session) report() {
	n := s.counts.read()
	level := slog.LevelDebug
	if n.Resent+n.Duplicates+n.Recalled+n.Remade > 0 {
		level = slog.LevelInfo
	}
	s.log.Log(context.Background(), level, "run ended on the cluster", "run", s.run, "chunks", n.Chunks, "resent", n.Resent, "duplicates", n.Duplicates,
		"recalled", n.Recalled, "remade", n.Remade)
}
