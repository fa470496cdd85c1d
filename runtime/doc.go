// Package jobgen runs the same typed function over many inputs: on goroutines, in a debugger, and
// on other backends, without the function changing.
//
// The package has the name jobgen although its directory is called runtime, so that it does not
// collide with the standard one:
//
//	import jobgen "github.com/jobgen/jobgen/runtime"
//
// # Two ways in
//
// [Map] and [Stream] take any function. For more, annotate a struct that has a method Do, or a
// function, with //jobgen:worker, and run go generate: the jobgen command writes a typed runner
// that embeds [Runner], whose methods Run, Stream, Unordered and Batch do the same for each worker.
//
// # What is promised
//
//   - Order: the result at i belongs to the input at i, with any number of workers.
//   - Errors: a run that fails returns a [*RunError], which unwraps to the [*JobError] of each
//     failed job. By default it is the error that a serial loop would have met first; with
//     [CollectErrors] every job runs.
//   - Panics become [*PanicError] with the stack of where they happened, runtime.Goexit becomes
//     [ErrGoexit], and the worker is made anew. The other jobs go on.
//   - Cancellation: when the context ends, no job begins, the contexts of running jobs end, they
//     are waited for, and the error unwraps to context.Cause. Nothing is left behind.
//   - Memory: a stream holds at most its [Window].
//   - State: each concurrent worker has a copy of the worker value of its own, on which Setup has
//     been called. What Do writes to its receiver is seen by no other job at the same time.
//
// # The environment
//
// A person who runs a program that is already built can change how its jobs run. These variables
// win over the program's own options:
//
//	JOBGEN_DEBUG=1        one job after the other on the calling goroutine, panics pass (see Debug)
//	JOBGEN_WORKERS=n      how many jobs at a time (see Workers)
//	JOBGEN_PROGRESS=1     a progress bar for each run; 0 hides the program's own
//	JOBGEN_SEED=u         what Rand depends on (see Seed): repeats a run whose log names its seed
//	JOBGEN_BACKEND=name   where the jobs of workers run: goroutines, goroutines:n, processes,
//	                      processes:n, debug, or a backend that the program has registered; the functions given to Map and
//	                      Stream have no name that another process knows, and stay
//
// A value that makes no sense fails the run before its first job.
package jobgen
