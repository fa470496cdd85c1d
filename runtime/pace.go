package jobgen

import "time"

// pace sizes a worker's chunks so that each holds about as much work as it should, going by how long the
// last jobs took. It starts with one job, so that the first result is there as soon as it can be,
// and reads the clock at most once for clockTime of work, so that quick jobs do not pay for it.
type pace struct {
	most   int           // jobs in a chunk
	aim    time.Duration // what a chunk should take
	size   int           // of the next chunk
	ran    int           // jobs run so far
	mark   time.Time     // when the clock was last read …
	marked int           // … and how many jobs had been run by then
	perJob time.Duration // for all jobs since, in units of 1/256
	told   bool          // how long jobs take, by those who run them
}

const (
	chunkTime = 200 * time.Microsecond

	// What goes to another process takes some 10 to 50 µs on the way there and back, during which its
	// worker has nothing to do.
	remoteChunkTime = 2 * time.Millisecond

	clockTime = 5 * time.Microsecond
	growth    = 8 // a chunk is at most so many times larger than the one before
	fraction  = 256
)

// restart forgets the time since the last reading, which was spent on other things than jobs.
func (p *pace) restart() { p.mark, p.marked = time.Now(), p.ran }

// next returns the size of the next chunk.
func (p *pace) next() int {
	jobs := p.ran - p.marked
	if p.told {
		p.size = max(p.size, 1)
		return p.size
	}
	if p.size == 0 {
		p.size = 1
		return 1
	}
	if jobs == 0 || time.Duration(jobs)*p.perJob/fraction < clockTime && p.perJob > 0 {
		return p.size
	}
	now := time.Now()
	p.perJob = max(now.Sub(p.mark)*fraction/time.Duration(jobs), 1)
	p.mark, p.marked = now, p.ran
	p.resize()
	return p.size
}

// tell notes how long some jobs took where they ran.
func (p *pace) tell(jobs int, took time.Duration) {
	if took > 0 && (2*jobs >= p.size || took > p.aim) { // fewer jobs than that say little
		p.perJob = max(took*fraction/time.Duration(jobs), 1)
		p.resize()
	}
}

func (p *pace) resize() {
	p.size = min(max(int(p.aim*fraction/p.perJob), 1), p.size*growth, p.most)
}
