package jobgen

import "unsafe"

// window says how many jobs a stream may be ahead of its consumer. One that the user chose stays as it is.
type window struct {
	run    *run
	chosen int64 // by the user; 0: nothing
	chunk  int64 // jobs in a chunk, at most
	place  int64 // bytes of an input and a result
	now    int64 // jobs; it only grows
}

const (
	ringBytes   = 4 << 20 // of inputs and results themselves, unless Window asks for more
	chunksAhead = 4       // chunks for each worker that a stream may be ahead of its consumer
)

// newWindow makes the window of a run as it is at first: a job of each chunk that may be ahead.
func newWindow[In, Out any](r *run) window {
	w := window{run: r, chosen: int64(r.cfg.window), chunk: streamChunk}
	if r.session != nil {
		w.chunk = farChunk
	}
	var in In
	var out Out
	w.place = int64(unsafe.Sizeof(in)+unsafe.Sizeof(out)) + 4
	if w.now = w.chosen; w.now == 0 {
		w.now = chunksAhead * r.crew.Load()
	}
	return w
}

// most returns how many jobs it may become for some workers, when chunks have grown.
func (w *window) most(workers int64) int64 {
	if w.chosen > 0 {
		return w.chosen
	}
	first := chunksAhead * workers
	return max(first, min(first*w.chunk, ringBytes/w.place))
}

// fits reports whether n jobs are fewer than the window, now that chunks may have grown and workers come.
func (w *window) fits(n int64) bool {
	if n < w.now {
		return true
	}
	workers := w.run.crew.Load()
	w.now = max(w.now, min(w.run.chunk.Load()*chunksAhead*workers, w.most(workers)))
	return n < w.now
}
