package sharedmem

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/sync/singleflight"

	"github.com/jobgen/jobgen/sharedmem/internal/mem"
)

// Segment says what another process has to know to attach a segment, beside its descriptor. It is what backends send.
type Segment struct {
	ID       uint64
	Bytes    int64
	ReadOnly bool   // to those who attach it
	File     string // the name of a mapped file; "" for memory of an arena
	Data     int64  // where a file's data begin

	// Copy is the name of a file that holds a copy of the segment's memory, made on another machine. It is
	// mapped in the segment's place, read-only.
	Copy string
}

// Segment returns the id of the segment in which the array is, for [Export].
func (a Array[T]) Segment() uint64 {
	a.v.live("Segment")
	return a.v.seg.id
}

// Export returns what another process needs to attach a segment, and the file whose descriptor (on
// Windows handle) it has to be given: inherited through os/exec's Cmd.ExtraFiles, or sent over a Unix
// socket (SCM_RIGHTS). The file belongs to the segment: it is not to be closed, and is good until the
// arena is closed.
func Export(id uint64) (Segment, *os.File, error) {
	s, err := findSegment(id)
	if err != nil {
		return Segment{}, nil, err
	}
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	if s.core.shut {
		return Segment{}, nil, s.core.closedError("Export")
	}
	if !s.region.Shareable() {
		return Segment{}, nil, fmt.Errorf("sharedmem: %s: %w", s.core.what, mem.ErrNotShared)
	}
	return s.info(), s.region.File, nil
}

// ReadSegment calls f with what another machine needs to have the segment, and with its memory: at most info.Bytes
// of it, what follows is zero. The memory is valid during the call, for which a Close waits, and is not to be written
// to. It is what backends send to where no memory is shared.
func ReadSegment(id uint64, f func(info Segment, memory []byte) error) error {
	s, err := findSegment(id)
	if err != nil {
		return err
	}
	held, info, err := s.hold()
	if err != nil {
		return err
	}
	defer s.core.unpin(held)
	n := int(info.Bytes)
	if s.committed > 0 {
		n = s.committed
	}
	return f(info, s.region.Bytes[:n])
}

// hold keeps the segment's memory where it is, until the pin is given back.
func (s *segment) hold() (*pin, Segment, error) {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	if s.core.shut {
		return nil, Segment{}, s.core.closedError("ReadSegment")
	}
	p := &pin{what: "ReadSegment", at: here()}
	if s.core.pins == nil {
		s.core.pins = map[*pin]bool{}
	}
	s.core.pins[p] = true
	return p, s.info(), nil
}

func (s *segment) info() Segment {
	i := Segment{ID: s.id, Bytes: int64(len(s.region.Bytes)), ReadOnly: s.region.ReadOnly || s.region.Sealed(), File: s.file, Copy: s.copy}
	if s.file != "" {
		i.Data = int64(s.data)
	}
	return i
}

// Attachment is a segment of another process that this one sees.
type Attachment struct {
	owner
	seg *segment
}

// Attach makes the arrays of a segment of another process known to this one, so that their handles can
// be decoded. It takes over f, a descriptor that was inherited or received. The kernel notes that the
// segment is in use, so that its memory is not used for something else before the attachment is closed,
// or this process ends.
//
// It fails if f is not what info says, or is memory that could shrink. A segment that this process has
// already is an error, too.
func Attach(info Segment, f *os.File) (*Attachment, error) {
	fail := func(err error) (*Attachment, error) {
		f.Close()
		return nil, fmt.Errorf("sharedmem: segment %#x: %w", info.ID, err)
	}
	if int64(int(info.Bytes)) != info.Bytes || info.Bytes < 2*headerSize || info.Data < 0 || info.Data > info.Bytes {
		return fail(fmt.Errorf("a segment cannot have %d bytes", info.Bytes))
	}
	registry.RLock()
	known := registry.segments[info.ID] != nil
	registry.RUnlock()
	if known {
		return fail(errors.New("this process has it already"))
	}
	region, err := attachRegion(info, f)
	if err != nil {
		return nil, fmt.Errorf("sharedmem: segment %#x: %w", info.ID, err)
	}
	a := new(Attachment)
	what := fmt.Sprintf("segment %#x of another process", info.ID)
	if info.File != "" {
		what = info.File
	}
	a.init(what, slog.Default())
	s := &segment{core: a.core, region: region, file: info.File, data: int(info.Data), copy: info.Copy}
	s.register(info.ID)
	a.seg = s
	return a, nil
}

func attachRegion(info Segment, f *os.File) (*mem.Region, error) {
	if info.File != "" {
		return mem.MapFile(f, int(info.Bytes), info.ReadOnly)
	}
	attach := mem.Attach
	if info.Copy != "" {
		attach, info.ReadOnly = mem.MapFile, true
	}
	region, err := attach(f, int(info.Bytes), info.ReadOnly)
	if err != nil {
		return nil, err
	}
	if word(region.Bytes, 0).Load() != segmentMagic || word(region.Bytes, atID).Load() != info.ID {
		region.Unmap()
		return nil, errors.New("what was sent is another segment, or one that was closed meanwhile")
	}
	return region, nil
}

// Close ends the arrays of the segment in this process, and unmaps it. It waits as [Arena.Close] does.
func (a *Attachment) Close() error { return a.closeSegment(a.seg, defaultCloseTimeout) }

// OnMissing sets what is asked for a segment when a handle arrives that leads to one this process has
// not got: a backend asks the process that sent the handle. The segment stays attached until [Detach].
// There is one such function at a time, nil means none, and it is called by several goroutines at once.
func OnMissing(f func(id uint64) (Segment, *os.File, error)) {
	registry.Lock()
	defer registry.Unlock()
	registry.missing = f
}

// Detach closes what was attached for OnMissing, when the arena is closed where it was made. It
// waits as [Arena.Close] does. A segment that is not attached is none to be closed, and no error.
func Detach(id uint64) error {
	registry.Lock()
	a := registry.fetched[id]
	delete(registry.fetched, id)
	registry.Unlock()
	if a == nil {
		return nil
	}
	return a.Close()
}

// findSegment returns a segment of this process, and attaches it first if it can be had.
func findSegment(id uint64) (*segment, error) {
	registry.RLock()
	s, missing := registry.segments[id], registry.missing
	registry.RUnlock()
	if s != nil {
		return s, nil
	}
	if missing == nil {
		return nil, &HandleError{fmt.Sprintf("this process has no segment %#x: its arena was closed, or it is another process's and was not attached", id)}
	}
	return fetchSegment(id, missing)
}

// fetching sees to it that a segment that several goroutines miss is asked for once.
var fetching singleflight.Group

func fetchSegment(id uint64, missing func(uint64) (Segment, *os.File, error)) (*segment, error) {
	s, err, _ := fetching.Do(strconv.FormatUint(id, 16), func() (any, error) {
		info, f, err := missing(id)
		if err != nil {
			return nil, &HandleError{fmt.Sprintf("segment %#x cannot be had: %v", id, err)}
		}
		info.ID = id
		a, err := Attach(info, f)
		if err != nil {
			return nil, err
		}
		registry.Lock()
		defer registry.Unlock()
		if registry.fetched == nil {
			registry.fetched = map[uint64]*Attachment{}
		}
		registry.fetched[id] = a
		return a.seg, nil
	})
	if err != nil {
		return nil, err
	}
	return s.(*segment), nil
}
