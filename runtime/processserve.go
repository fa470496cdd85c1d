package jobgen

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
	"github.com/jobgen/jobgen/sharedmem"
)

// serveProcess is the life of a worker process: it is told what to be, runs chunks of jobs, and ends when
// its parent says so, or is no more.
func serveProcess(string) error {
	parent, err := proc.Inherited()
	if err != nil {
		return err
	}
	debug.SetMaxStack(64 << 20) // an endless recursion would otherwise take a gigabyte, and seconds, to end
	proc.PreferToDie()
	proc.NameProcess(filepath.Base(os.Args[0]))
	s := &processServer{Parent: parent, outbox: newOutbox(parent.Out)}
	if parent.FDs != nil {
		if err := fetchFrom(parent.FDs); err != nil {
			return err
		}
	}
	if err := s.greet(); err != nil {
		_ = s.Out.Write(frameRefuse, []byte(err.Error()))
		return nil
	}
	go s.obey()
	go s.outbox.flush()
	over := make(chan struct{})
	go s.serve(over)
	<-over
	time.Sleep(partTime) // the parent hangs up, which ends this process
	return nil
}

// processServer is a worker process, as it sees itself.
type processServer struct {
	*proc.Parent
	hello  hello
	host   Host
	task   Task
	board  [boardWidth]*atomic.Int64 // nil where no memory is shared
	orders orders
	outbox *outbox

	doing   byte  // the kind of frame that is being obeyed; 0: none
	loaded  bool  // jobs of its chunk may be left …
	failure error // … or not, because of this
	seat    hereSeat
	buf     []byte
}

// greet takes what the parent says first, and answers.
func (s *processServer) greet() error {
	kind, text, err := s.In.Read()
	if err != nil {
		return err
	}
	if kind != frameHello {
		return fmt.Errorf("the parent begins with %q", kind)
	}
	if err := json.Unmarshal(text, &s.hello); err != nil {
		return err
	}
	h := &s.hello
	if h.Memory > 0 {
		if err := proc.LimitMemory(h.Memory); err != nil {
			return fmt.Errorf("limiting its memory: %w", err)
		}
		debug.SetMemoryLimit(h.Memory / 5 * 4) // the collector tries hard before it comes to that
	}
	if h.ABI != ABI1 {
		return fmt.Errorf("the parent's contract has version %d, the worker's %d: are they the same program?", h.ABI, ABI1)
	}
	if s.host, err = Lookup(h.Worker); err != nil {
		return fmt.Errorf("%w: is the package with its generated code imported before main calls Init?", err)
	}
	if f := s.host.Fingerprint(); f != h.Fingerprint {
		return fmt.Errorf("%s: the parent encodes it in another way (%x) than this process (%x): are they the same program?", h.Worker, h.Fingerprint, f)
	}
	s.task = Task{
		Run: h.Run, Worker: h.Worker, Fingerprint: h.Fingerprint, Config: h.Config, Workers: 1, JobTimeout: h.JobTimeout,
		place: h.Name, Untimed: h.Untimed, note: s.noteStep,
		begins: s.beginsUntimed,
		observer: Observer{
			WorkerStarted: func(RunInfo, string) { s.setUp() },
			JobStarted:    func(_ RunInfo, j JobInfo) { s.begins(j) },
		},
	}
	s.orders.deadline = h.Deadline
	if h.LogLevel != nil {
		s.task.Logger = slog.New(recordSender(s.Out, slog.Level(*h.LogLevel)))
	}
	if len(h.Board) > 0 {
		var board sharedmem.Array[int64]
		if err := board.UnmarshalBinary(h.Board); err != nil {
			return err
		}
		for i := range s.board {
			s.board[i] = boardWord(board, h.Row, i)
		}
	}
	// Where there is no board, what says which job runs is sent job by job, and the results had better go with it.
	s.outbox.together = h.Together && len(h.Board) > 0
	if h.Run.Jobs >= 0 {
		s.outbox.quick = quickInRun
	}
	if !h.Shared || !s.Map() {
		return s.Out.Write(frameReady)
	}
	if err := s.Out.Write(frameReady, []byte{1}); err != nil {
		return err
	}
	s.Share()
	return nil
}

// serve runs chunks until there are no more, on a goroutine that a job may end.
func (s *processServer) serve(over chan<- struct{}) {
	returned := false
	defer func() {
		if !returned {
			go s.serve(over)
			return
		}
		close(over)
	}()
	debug.SetPanicOnFault(true) // as for a lane with a goroutine of its own
	for s.step() {
	}
	returned = true
}

// step does one thing that the parent asks for, or goes on with it. It reports false when that was to end.
func (s *processServer) step() (more bool) {
	var err error
	if s.doing == 0 {
		var content []byte
		if s.doing, content, err = s.In.Read(); err != nil {
			s.orders.orphaned(err)
		}
		if s.doing == frameChunk {
			err = s.begin(content)
		}
	}
	if err == nil {
		switch s.doing {
		case frameChunk:
			err = s.run()
		case frameClose:
			err = s.closeSeat()
		default:
			s.orders.orphaned(proc.ErrDamaged)
		}
	}
	s.In.Release()
	s.phase(atRest)
	s.buf = s.buf[:0]
	if err != nil {
		s.buf = encodeError(s.buf, err)
	}
	s.orders.ended.Store(s.doing == frameClose)
	sent(s.outbox.end())
	sent(s.Out.Write(frameEnd, s.buf))
	more = s.doing != frameClose
	s.doing, s.loaded, s.failure = 0, false, nil
	return more
}

// begin makes the chunk that a frame has brought the one to be run, unless it is to end already.
func (s *processServer) begin(content []byte) error {
	if len(content) < chunkHead {
		s.orders.orphaned(proc.ErrDamaged)
	}
	c := Chunk{
		First:   int(binary.LittleEndian.Uint64(content)),
		Count:   int(binary.LittleEndian.Uint32(content[8:])),
		Attempt: int(binary.LittleEndian.Uint32(content[12:])),
		Jobs:    content[chunkHead:],
	}
	if !s.orders.begin(binary.LittleEndian.Uint64(content[16:])) {
		return nil
	}
	if s.cancelled() { // after the last chunk had ended
		if err := s.closeSeat(); err != nil {
			return err
		}
	}
	if s.seat == nil {
		s.phase(inConfig)
		seat, err := s.host.Open(s.orders.context(), s.task)
		if err != nil {
			return err
		}
		s.seat = seat.(hereSeat)
	}
	s.outbox.begin(c)
	s.loaded = true
	s.seat.load(c, s.done)
	return nil
}

// run runs what is left of the chunk.
func (s *processServer) run() error {
	if s.loaded {
		s.failure = s.seat.work()
		s.loaded = false
	}
	if s.seat == nil || s.failure == nil && !s.cancelled() {
		return nil
	}
	if err := s.closeSeat(); s.failure == nil {
		return err
	}
	return s.failure
}

func (s *processServer) done(d *Done) {
	sent(s.outbox.done(d))
	if b := s.board[boardPhase]; b != nil {
		jot(b, atRest)
	}
}

// cancelled reports whether the seat was told to end, after which it is of no use.
func (s *processServer) cancelled() bool {
	seat, ok := s.seat.(interface{ over() bool })
	return ok && seat.over()
}

func (s *processServer) closeSeat() error {
	if s.seat == nil {
		return nil
	}
	s.phase(inClose)
	err := s.seat.leave()
	s.orders.stop()
	s.seat = nil
	return err
}

// phase notes what this process is about to do. Where no memory is shared the parent is told; that it
// is at rest follows from what it is sent then.
func (s *processServer) phase(p int64) { s.note(p, -1, time.Time{}) }

// noteStep notes what the host says of the steps between jobs.
func (s *processServer) noteStep(phase int64, job int) {
	if phase == inDecode && s.board[0] != nil {
		jot(s.board[boardJob], int64(job))
		jot(s.board[boardPhase], inDecode)
		return
	}
	s.note(phase, job, time.Time{})
}

// beginsUntimed is begins where nobody asks for times, and nobody acts on what the board says of a living process.
func (s *processServer) beginsUntimed(job int) {
	if s.board[0] == nil {
		s.note(inJob, job, time.Time{})
		return
	}
	jot(s.board[boardJob], int64(job))
	jot(s.board[boardPhase], inJob)
}

func (s *processServer) begins(j JobInfo) { s.note(inJob, j.Index, j.Start) }

func (s *processServer) note(phase int64, job int, since time.Time) {
	switch {
	case s.board[0] == nil && phase != atRest:
		_ = s.Out.Write(frameState, binary.LittleEndian.AppendUint64([]byte{byte(phase)}, uint64(job)))
	case s.board[0] != nil && phase == inJob:
		s.board[boardJob].Store(int64(job))
		if !since.IsZero() {
			s.board[boardSince].Store(since.UnixNano())
		}
		s.board[boardPhase].Store(inJob)
	case s.board[0] != nil:
		s.board[boardPhase].Store(phase)
	}
}

func (s *processServer) setUp() { _ = s.Out.Write(frameSetUp) }

// How a process ends whose connection was closed, or read from, by a job.
const (
	meddledStatus = 96 // by one of the chunk that is under way
	strayStatus   = 97 // by one of an earlier chunk
)

// sent ends this process if err says that the parent cannot be told what there is to tell. The parent is gone
// then; or it is not, but a job has closed a descriptor that is not its own.
func sent(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, errBrokenPipe) {
		proc.KillGroup()
	}
	unconnected(meddledStatus, err)
}

func unconnected(status int, err error) {
	fmt.Fprintf(os.Stderr, "jobgen: worker: the connection to its parent is lost, has a job closed it? %v\n", err)
	os.Exit(status)
}
