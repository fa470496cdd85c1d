package jobgen

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jobgen/jobgen/runtime/internal/proc"
	"github.com/jobgen/jobgen/sharedmem"
)

// serveProcess is the life of a worker process: it is told what to be, runs chunks of jobs, and ends when
// its parent says so, or is no more.
func serveProcess(string) error {
	in, out, fds, err := proc.Inherited()
	if err != nil {
		return err
	}
	debug.SetMaxStack(64 << 20) // an endless recursion would otherwise take a gigabyte, and seconds, to end
	proc.PreferToDie()
	proc.NameProcess(filepath.Base(os.Args[0]))
	s := &processServer{in: proc.NewReader(in), out: proc.NewWriter(out), chunks: make(chan servedChunk), waiting: make(chan struct{}, 1)}
	if fds != nil {
		if err := fetchFrom(fds); err != nil {
			return err
		}
	}
	if err := s.greet(); err != nil {
		_ = s.out.Write(frameRefuse, []byte(err.Error()))
		return nil
	}
	go s.listen()
	go s.flush()
	return s.serve()
}

// processServer is a worker process, as it sees itself.
type processServer struct {
	in      *proc.Reader
	out     *proc.Writer
	hello   hello
	host    Host
	task    Task
	board   [boardWidth]*atomic.Int64 // nil where no memory is shared
	chunks  chan servedChunk
	cancel  atomic.Pointer[context.CancelFunc] // of the jobs
	chunk   atomic.Uint64                      // the number of the last one …
	dropped atomic.Uint64                      // … and of the last that was told to end
	ended   atomic.Bool                        // there is nothing more to do

	seat    HostSeat
	flushed time.Time
	waiting chan struct{} // has one if results wait to be sent
	buf     []byte
}

// servedChunk is what the parent sends; one without jobs means the end.
type servedChunk struct {
	Chunk
	kept []byte // in which Jobs are
	last bool

	number uint64
}

// greet takes what the parent says first, and answers.
func (s *processServer) greet() error {
	kind, text, err := s.in.Read()
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
		place: h.Name, note: s.noteStep,
		observer: Observer{
			WorkerStarted: func(RunInfo, string) { s.setUp() },
			JobStarted:    func(_ RunInfo, j JobInfo) { s.begins(j) },
		},
	}
	if h.LogLevel != nil {
		s.task.Logger = slog.New(recordSender(s.out, slog.Level(*h.LogLevel)))
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
	return s.out.Write(frameReady)
}

// listen hears the parent. When that is gone, so is this process, whatever it is doing.
func (s *processServer) listen() {
	for {
		kind, content, err := s.in.Read()
		if err != nil {
			if s.ended.Load() {
				proc.Exit()
			}
			proc.KillGroup()
		}
		switch kind {
		case frameChunk:
			if len(content) < chunkHead {
				proc.KillGroup()
			}
			s.chunk.Store(binary.LittleEndian.Uint64(content[16:]))
			content = s.in.Keep(content)
			s.chunks <- servedChunk{kept: content, number: s.chunk.Load(), Chunk: Chunk{
				First:   int(binary.LittleEndian.Uint64(content)),
				Count:   int(binary.LittleEndian.Uint32(content[8:])),
				Attempt: int(binary.LittleEndian.Uint32(content[12:])),
				Jobs:    content[chunkHead:],
			}}
		case frameCancel:
			if len(content) == 8 && s.chunk.Load() == binary.LittleEndian.Uint64(content) {
				s.dropped.Store(s.chunk.Load())
				if cancel := s.cancel.Load(); cancel != nil {
					(*cancel)()
				}
			}
		case frameStacks:
			_ = s.out.Write(frameStacks, jobStacks())
		case frameClose:
			s.chunks <- servedChunk{last: true}
		}
	}
}

// jobStacks returns the stacks of the goroutines, those that run jobs first. Unlike a dump that a signal
// asks for it shows goroutines that are running, too.
func jobStacks() []byte {
	buf := make([]byte, 1<<20)
	all := bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n"))
	slices.SortStableFunc(all, func(a, b []byte) int { return cmp.Compare(stackRank(a), stackRank(b)) })
	stacks := bytes.Join(all, []byte("\n\n"))
	return stacks[:min(len(stacks), mostStacks)]
}

const mostStacks = 8 << 10

func stackRank(stack []byte) int {
	switch {
	case bytes.Contains(stack, []byte("jobgen/runtime.(*lane[")):
		return 0
	case bytes.Contains(stack, []byte("jobgen/runtime.(*processServer)")):
		return 2
	}
	return 1 // of the user's
}

// serve runs chunks until there are no more.
func (s *processServer) serve() error {
	for c := range s.chunks {
		var err error
		if c.last {
			err = s.closeSeat()
		} else {
			err = s.run(c)
			s.in.Reuse(c.kept)
		}
		s.phase(atRest)
		s.buf = s.buf[:0]
		if err != nil {
			s.buf = encodeError(s.buf, err)
		}
		s.ended.Store(c.last)
		s.sent(s.out.Write(frameEnd, s.buf))
		if c.last {
			break
		}
	}
	time.Sleep(partTime) // the parent hangs up, which ends this process
	return nil
}

func (s *processServer) run(c servedChunk) error {
	if s.cancelled() { // after the last chunk had ended
		if err := s.closeSeat(); err != nil {
			return err
		}
	}
	if s.seat == nil {
		ctx, cancel := context.WithCancel(context.Background())
		s.cancel.Store(&cancel)
		if s.dropped.Load() == c.number { // before there was anything to cancel
			cancel()
		}
		s.phase(inConfig)
		var err error
		if s.seat, err = s.host.Open(ctx, s.task); err != nil {
			return err
		}
	}
	s.flushed = time.Now()
	err := s.seat.Run(c.Chunk, s.done)
	if err != nil || s.cancelled() {
		closed := s.closeSeat()
		if err == nil || s.cancelled() {
			err = closed
		}
	}
	return err
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
	err := s.seat.Close()
	(*s.cancel.Load())()
	s.seat = nil
	return err
}

// phase notes what this process is about to do. Where no memory is shared the parent is told; that it
// is at rest follows from what it is sent then.
func (s *processServer) phase(p int64) { s.note(p, -1, time.Time{}) }

// noteStep notes what the host says of the steps between jobs.
func (s *processServer) noteStep(phase int64, job int) {
	if phase == inDecode && s.board[0] != nil {
		s.board[boardJob].Store(int64(job))
		if s.board[boardPhase].Load() == inDecode { // storing costs more, and there may be many jobs
			return
		}
	}
	s.note(phase, job, time.Time{})
}

func (s *processServer) begins(j JobInfo) { s.note(inJob, j.Index, j.Start) }

func (s *processServer) note(phase int64, job int, since time.Time) {
	switch {
	case s.board[0] == nil && phase != atRest:
		_ = s.out.Write(frameState, binary.LittleEndian.AppendUint64([]byte{byte(phase)}, uint64(job)))
	case s.board[0] != nil && phase == inJob:
		s.board[boardJob].Store(int64(job))
		s.board[boardSince].Store(since.UnixNano())
		s.board[boardPhase].Store(inJob)
	case s.board[0] != nil:
		s.board[boardPhase].Store(phase)
	}
}

func (s *processServer) setUp() { _ = s.out.Write(frameSetUp) }

// quick is how long a result may wait for others, so that those of quick jobs are sent together.
const quick = 100 * time.Microsecond

// done sends what became of a job. What is not sent when the process dies is run again.
func (s *processServer) done(d Done) {
	s.buf = encodeDone(s.buf[:0], d)
	var err error
	if now := d.Start.Add(d.Elapsed); now.Sub(s.flushed) > quick {
		s.flushed = now
		err = s.out.Write(frameDone, s.buf)
	} else {
		err = s.out.Put(frameDone, s.buf)
		select {
		case s.waiting <- struct{}{}:
		default:
		}
	}
	s.sent(err)
	s.phase(atRest)
}

// flush sends results that wait for those of further jobs, in case the next job takes long.
func (s *processServer) flush() {
	for range s.waiting {
		time.Sleep(quick)
		s.sent(s.out.Flush())
	}
}

// meddledStatus is how a process ends whose connection was closed by a job.
const meddledStatus = 96

// sent ends this process if err says that the parent cannot be told what there is to tell. The parent is gone
// then; or it is not, but a job has closed a descriptor that is not its own.
func (s *processServer) sent(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, errBrokenPipe) {
		proc.KillGroup()
	}
	fmt.Fprintf(os.Stderr, "jobgen: worker: the connection to its parent is lost, has a job closed it? %v\n", err)
	os.Exit(meddledStatus)
}

// fetchFrom has segments that handles lead to be asked for over a socket.
func fetchFrom(fds *os.File) error {
	c, err := net.FileConn(fds)
	if err != nil {
		return err
	}
	fds.Close()
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return errors.New("the socket for descriptors is none")
	}
	one := make(chan struct{}, 1)
	sharedmem.OnMissing(func(id uint64) (info sharedmem.Segment, f *os.File, err error) {
		one <- struct{}{}
		defer func() { <-one }()
		if _, err = conn.Write(binary.LittleEndian.AppendUint64(nil, id)); err != nil {
			return info, nil, err
		}
		f, err = proc.ReceiveFile(conn, &info)
		return info, f, err
	})
	return nil
}

// encodeDone appends what became of a job: its index, its times, and its result or error.
func encodeDone(b []byte, d Done) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Index))
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Start.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Elapsed))
	if d.Err != nil {
		return encodeError(append(b, 1), d.Err)
	}
	return append(append(b, 0), d.Result...)
}

var errNonsense = errors.New("it is no result")

func decodeDone(b []byte) (Done, error) {
	if len(b) < 25 {
		return Done{}, errNonsense
	}
	d := Done{
		Index:   int(binary.LittleEndian.Uint64(b)),
		Start:   time.Unix(0, int64(binary.LittleEndian.Uint64(b[8:]))),
		Elapsed: time.Duration(binary.LittleEndian.Uint64(b[16:])),
	}
	if b[24] == 0 {
		d.Result = b[25:]
	} else {
		d.Err = decodeError(b[25:])
	}
	return d, nil
}
