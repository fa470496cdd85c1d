package jobgen

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

// lane is one worker of a run in this process: a goroutine that takes jobs one after the other and
// runs them on its own instance of the user's worker.
//
// Lanes may lie side by side in memory, so what changes with each job is a cache line away from both ends.
type lane[In, Out any] struct {
	task *task[In, Out]
	run  *run
	seat *seat
	id   string
	link *link[In, Out]     // nil: the jobs run here
	host *hostSeat[In, Out] // not nil: they run here for a process that wants to know their results only

	inst   Instance[In, Out]
	live   bool // inst is set up
	places places[In, Out]
	pace   pace
	told   int // of the jobs run, those reported to the observers …
	fails  int // … and of those not yet reported, the failed ones

	rest span // taken and not begun, where one worker takes all

	// The current job.
	job   int64
	phase phase // what the lane is doing, to tell whose panic it is
	tries int   // attempts of it, from 1
	in    In    // where places does not keep it
	ctx   *jobContext
	times times

	outcome Outcome[Out] // for a hosted run

	broken error // the job has panicked or ended its goroutine
	gone   bool  // the goroutine is ending; another one goes on
}

type phase uint8

const (
	phaseHook  phase = iota // an observer or jobgen itself: no job can be blamed
	phaseSetup              // Setup
	phaseJob                // Do
	phaseClose              // Close
	phaseDrop               // Close, of an instance whose job has panicked
)

// newLane makes the worker of the next seat.
func (t *task[In, Out]) newLane(id string) *lane[In, Out] {
	slot := int(t.started.Load())
	l := &lane[In, Out]{task: t, run: t.run, seat: &t.run.seats[slot], id: id, tries: int(t.first.Load())}
	l.pace.most, l.pace.aim = t.most, chunkTime
	if t.run.session != nil {
		l.link = &link[In, Out]{session: t.run.session, slot: slot, wire: t.spec.Wire}
		l.live = true // what has to be set up is elsewhere
		l.pace.aim = remoteChunkTime
		if paced, ok := t.run.session.(Paced); ok {
			l.pace.aim, l.pace.told = paced.ChunkTime(), true
		}
		l.pace.restart()
	}
	t.started.Add(1)
	return l
}

// startLane starts the worker of the next seat, unless all have been taken.
func (t *task[In, Out]) startLane() {
	t.starting.Lock()
	defer t.starting.Unlock()
	if t.started.Load() < t.run.crew.Load() {
		t.startNext()
	}
}

// startNext does so while starting is held.
func (t *task[In, Out]) startNext() {
	name := t.run.place
	if name == "" {
		name = laneName(int(t.started.Load()) + 1)
	}
	l := t.newLane(name)
	t.run.lanes.Add(1)
	t.run.alive.Add(1)
	go l.loop()
}

// laneName is how the n-th worker of a run is called. A run of few small jobs would notice the time
// that it takes to make the usual ones.
func laneName(n int) string {
	if n < len(laneNames) {
		return laneNames[n]
	}
	return "goroutine-" + strconv.Itoa(n)
}

var laneNames = func() (names [33]string) {
	for i := range names {
		names[i] = "goroutine-" + strconv.Itoa(i)
	}
	return names
}()

// step runs the jobs that there are now on the calling goroutine, and lets panics pass.
func (l *lane[In, Out]) step() {
	for l.run.cursor.Load() < l.run.bound() && l.refill() {
		l.runClaimed()
	}
	l.flush()
}

// leave ends a lane that has run on the calling goroutine.
func (l *lane[In, Out]) leave() {
	l.close()
	l.seat.leave()
}

// loop runs jobs until there are no more. Where a job calls runtime.Goexit, its goroutine cannot
// be saved, and the lane goes on in another one.
func (l *lane[In, Out]) loop() {
	defer func() {
		if l.gone {
			l.gone = false
			go l.loop()
			return
		}
		l.seat.leave()
		l.end()
		l.run.consumer.send()
		l.run.lanes.Done()
	}()
	// A fault in mapped memory ends the program, unless this is on: then it is a panic of the job that met it.
	debug.SetPanicOnFault(true)
	for l.guarded(l.work) {
	}
	for l.guarded(l.close) {
	}
}

// end counts the lane out. Where others may start later, none does once the last has ended.
func (l *lane[In, Out]) end() {
	if l.link != nil {
		l.task.starting.Lock()
		defer l.task.starting.Unlock()
	}
	l.run.alive.Add(-1)
}

// guarded calls f, and reports true if f has to be called again because something in it panicked.
// There is one deferred call for all the jobs until then, not one for each.
func (l *lane[In, Out]) guarded(f func()) (again bool) {
	returned := false
	defer func() {
		if !returned {
			again = true
			l.caught(recover())
		}
	}()
	f()
	returned = true
	return false
}

// caught notes a panic with value v, or a Goexit if v is nil. (The value of panic(nil) is not nil
// since Go 1.21.)
func (l *lane[In, Out]) caught(v any) {
	var err error = ErrGoexit
	if v != nil {
		if fault := sharedmem.Explain(v); fault != nil {
			v = fault
		}
		err = &PanicError{Value: v, Stack: debug.Stack()}
	} else {
		l.gone = true
	}
	switch l.phase {
	case phaseSetup:
		l.run.interrupt(fmt.Errorf("%s: Setup: %w", l.id, err))
		l.drop() // or it would be set up again for them, for ever
	case phaseJob:
		l.broken = err
	case phaseClose:
		l.run.closeFailed(fmt.Errorf("%s: Close: %w", l.id, err))
	case phaseHook:
		l.run.crash(err)
	}
	l.phase = phaseHook
}

// work takes jobs and runs them, after it has settled the one that a panic left behind.
func (l *lane[In, Out]) work() {
	l.settleBroken()
	for l.refill() {
		l.runClaimed()
	}
	l.flush()
}

// settleBroken settles the job that has panicked or ended its goroutine, if one has.
func (l *lane[In, Out]) settleBroken() {
	if l.broken != nil {
		l.discard()
		err := l.broken
		l.broken = nil
		l.ended(err)
		var none Out
		l.settle(none, err)
	}
}

func (l *lane[In, Out]) runClaimed() {
	switch {
	case l.link != nil:
		l.runRemote(l.seat.takeAll())
	case l.run.plain:
		l.runPlain()
	case l.host != nil:
		l.runUntimed(l.host)
	default:
		l.runTimed()
	}
}

// refill claims the next jobs, and reports false if there are none and will be none.
func (l *lane[In, Out]) refill() bool {
	l.flush()
	if l.holds() { // the rest of a chunk in which a job has panicked
		return l.live || l.setUp()
	}
	if l.run.ctx.Err() != nil {
		// The goroutine that is to tell the run may not have had a processor yet.
		l.run.cancelled(l.run.ctx)
	}
	size := l.pace.next()
	if int64(size) > l.run.chunk.Load() {
		l.run.chunk.Store(int64(size))
	}
	if l.run.enough > 0 && size >= quickChunk {
		l.gather()
	}
	for {
		jobs, ok := l.run.claim(size)
		if !ok {
			jobs, ok = l.run.steal(l.seat)
		}
		if ok {
			return l.begin(jobs)
		}
		if !l.linger() && !l.run.wait() {
			return false
		}
		l.pace.restart()
	}
}

// holds reports whether the lane has claimed jobs that it has not begun.
func (l *lane[In, Out]) holds() bool { return l.rest.len() > 0 || l.seat.holds() }

// drop leaves them unrun.
func (l *lane[In, Out]) drop() {
	l.run.skip(l.rest, false)
	l.rest = span{}
	l.run.skip(l.seat.drop(), false)
}

// gather waits for a moment when the jobs of a stream are so quick that the lane keeps catching up
// with the goroutine that feeds it. It would take a job or two at a time, and the cache lines on which
// they are passed on would go from processor to processor for each. Where the consumer waits for a
// result there is nothing to wait for.
func (l *lane[In, Out]) gather() {
	if l.run.bound()-l.run.cursor.Load() < l.run.enough && !l.run.closed.Load() && !l.run.stopped() && !l.run.consumer.waiting.Load() {
		time.Sleep(moment)
		l.pace.restart()
	}
}

const (
	quickChunk = 64                    // jobs are quick if a chunk holds at least so many
	moment     = 20 * time.Microsecond // much less than a chunk
)

// linger gives a producer on another goroutine the chance to go on, since being woken costs both
// sides more than many quick jobs. It reports whether there is a job to claim now.
func (l *lane[In, Out]) linger() bool {
	const turns = 16
	for range turns {
		if l.run.closed.Load() || l.run.stopped() {
			return false
		}
		runtime.Gosched()
		if l.run.cursor.Load() < l.run.bound() {
			return true
		}
	}
	return false
}

// begin makes jobs the lane's own.
func (l *lane[In, Out]) begin(jobs span) bool {
	if renewed := l.seat.begin(jobs); renewed || l.ctx == nil || l.tries != int(l.task.first.Load()) {
		l.tries = int(l.task.first.Load())
		l.renewContext()
	}
	if !l.live && !l.setUp() {
		return false
	}
	l.places = l.task.store.places(jobs)
	return true
}

// setUp makes the lane's instance. When its Setup fails, so does the run.
func (l *lane[In, Out]) setUp() bool {
	l.inst = l.task.spec.New()
	if l.inst.Setup != nil {
		if l.run.note != nil {
			l.run.note(inSetup, -1)
		}
		l.phase = phaseSetup
		err := l.inst.Setup(l.run.ctx)
		l.phase = phaseHook
		if err != nil {
			if l.run.ctx.Err() != nil { // which may be why, and the goroutine that is to tell the run may not have run yet
				l.run.cancelled(l.run.ctx)
			}
			l.run.interrupt(fmt.Errorf("%s: Setup: %w", l.id, err))
			return false
		}
	}
	l.live = true
	for _, f := range l.run.workerStarted {
		f(l.run.info, l.id)
	}
	l.pace.restart()
	return true
}

// discard ends the instance on which a job has panicked. What its Close says does not matter any
// more: the job's failure is reported.
func (l *lane[In, Out]) discard() {
	if l.live {
		l.live = false
		if l.inst.Close != nil {
			l.phase = phaseDrop
			_ = l.inst.Close()
			l.phase = phaseHook
		}
	}
	l.renewContext()
}

// close ends the lane.
func (l *lane[In, Out]) close() {
	l.drop()
	if !l.live {
		return
	}
	l.live = false
	if l.inst.Close == nil {
		return
	}
	l.phase = phaseClose
	err := l.inst.Close()
	l.phase = phaseHook
	if err != nil {
		l.run.closeFailed(fmt.Errorf("%s: Close: %w", l.id, err))
	}
}

// flush tells the observers and the consumer of what has been done since the last time.
func (l *lane[In, Out]) flush() {
	done, fails := l.pace.ran-l.told, l.fails
	l.told, l.fails = l.pace.ran, 0
	if done > 0 {
		l.run.consumer.tell()
	}
	l.run.consumer.send()
	l.run.advance(done, fails)
}

func (l *lane[In, Out]) renewContext() {
	l.ctx = &jobContext{run: l.run, seat: l.seat, worker: l.id, attempt: l.tries}
}
