package jobgen

import "time"

// Observer is told what happens in a run. Any of its functions may be nil, and one that is nil
// costs nothing. They are called on the goroutine on which the thing happens, several at the same
// time, so they must be quick and safe for concurrent use. A panic in one of them ends the run and
// is raised again on the goroutine that called it.
//
// Progress bars and the records of [Logger] are made of the same calls.
type Observer struct {
	// RunStarted is called before the first job.
	RunStarted func(RunInfo)

	// RunDone is called after the last job, with the error of the run; nothing is called after it.
	// The error of a stream that its consumer left is nil.
	RunDone func(RunInfo, error)

	// WorkerStarted is called when a worker is ready for its first job: after its Setup, and
	// again when it has been made anew after a panic.
	WorkerStarted func(run RunInfo, worker string)

	// WorkerLost is called when the process of a worker died.
	WorkerLost func(run RunInfo, worker string, err error)

	// JobStarted is called before each attempt of a job. With it or JobDone the clock is read
	// twice for each job, about 100 ns.
	JobStarted func(RunInfo, JobInfo)

	// JobDone is called after each attempt of a job.
	JobDone func(RunInfo, JobInfo)

	// JobFailed is called after an attempt that failed; again says that another one follows.
	JobFailed func(run RunInfo, err *JobError, again bool)

	// Advanced is called when some more jobs have finished: done in all, failed of them without
	// success. It is called once for many quick jobs.
	Advanced func(run RunInfo, done, failed int)
}

// RunInfo says what a run is.
type RunInfo struct {
	ID      string // names the run in logs
	Name    string // of the worker: "example.com/stats.Variance"
	Jobs    int    // how many jobs, or -1 where that is not known
	Workers int    // how many jobs at a time; of a cluster's workers, those that are there when the run begins, see [Staffed]
	Backend string // "goroutines", "debug", …
	Seed    uint64 // what Rand depends on: with Seed(u), the run can be repeated
	Nested  bool   // a job of another run started it
}

// JobInfo is one attempt of a job.
type JobInfo struct {
	Index   int
	Attempt int
	Worker  string
	Start   time.Time
	Elapsed time.Duration // in JobDone
	Err     error         // in JobDone: what Do returned, before it is made a JobError
}

// hooks is what all observers of a run want to be told, each list without its nils.
type hooks struct {
	runStarted    []func(RunInfo)
	runDone       []func(RunInfo, error)
	workerStarted []func(RunInfo, string)
	workerLost    []func(RunInfo, string, error)
	jobStarted    []func(RunInfo, JobInfo)
	jobDone       []func(RunInfo, JobInfo)
	jobFailed     []func(RunInfo, *JobError, bool)
	advanced      []func(RunInfo, int, int)
}

func (h *hooks) add(o Observer) {
	h.runStarted = appendNonNil(h.runStarted, o.RunStarted, o.RunStarted != nil)
	h.runDone = appendNonNil(h.runDone, o.RunDone, o.RunDone != nil)
	h.workerStarted = appendNonNil(h.workerStarted, o.WorkerStarted, o.WorkerStarted != nil)
	h.workerLost = appendNonNil(h.workerLost, o.WorkerLost, o.WorkerLost != nil)
	h.jobStarted = appendNonNil(h.jobStarted, o.JobStarted, o.JobStarted != nil)
	h.jobDone = appendNonNil(h.jobDone, o.JobDone, o.JobDone != nil)
	h.jobFailed = appendNonNil(h.jobFailed, o.JobFailed, o.JobFailed != nil)
	h.advanced = appendNonNil(h.advanced, o.Advanced, o.Advanced != nil)
}

func appendNonNil[F any](list []F, f F, ok bool) []F {
	if ok {
		list = append(list, f)
	}
	return list
}

// wantsJobs reports whether somebody wants to be told of each job.
func (h *hooks) wantsJobs() bool { return len(h.jobStarted)+len(h.jobDone) > 0 }
