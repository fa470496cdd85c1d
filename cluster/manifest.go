package cluster

import (
	"time"

	jobgen "github.com/jobgen/jobgen/runtime"
)

// manifest is what workers have to know of a run. It is JSON: there is one for each run.
type manifest struct {
	Run         string // its id on the server
	Epoch       uint64 // of the driver: each that takes the run up has a higher one
	Named       bool   // it can be taken up again
	Worker      string
	Fingerprint uint64
	Build       string
	OtherBuilds bool
	Config      []byte `json:",omitempty"`
	ConfigBlob  []byte `json:",omitempty"` // where Config is, if it is large
	ConfigSum   []byte `json:",omitempty"` // … and its SHA-256
	Info        jobgen.RunInfo
	JobTimeout  time.Duration `json:",omitempty"`
	MaxJobs     int           `json:",omitempty"`
	Memory      int64         `json:",omitempty"`
	Untimed     bool          `json:",omitempty"`
	LogLevel    *int          `json:",omitempty"`
	AckWait     time.Duration
	Driver      string // "host (pid 4711)"
	Idle        bool   `json:",omitempty"` // it has no driver now, and is kept for the next one
}

// lease says that a run has a driver that lives.
type lease struct {
	ID     string // of the session
	Epoch  uint64
	Named  bool
	Driver string
	Host   string
	PID    int
	Keep   time.Duration
}

// presence says that a worker is there.
type presence struct {
	Name    string // "host (pid 4711)"
	Slots   int
	Build   string
	System  string            // "linux/amd64"
	Refused map[string]string // runs that it cannot run, and why
	Serves  map[string]bool   // runs that it can run
	Drains  bool              // it takes no more chunks
	Gone    string            `json:",omitempty"` // why it had to give up
}

// control is what a driver tells all workers of a run.
type control struct {
	Epoch  uint64
	Cancel uint64 `json:",omitempty"` // end the jobs of this chunk …
	Cause  []byte `json:",omitempty"` // … for this encoded reason, unless it is context.Canceled
	End    bool   `json:",omitempty"` // close; there will be no more chunks
}

// question is what a worker asks a driver.
type question struct {
	Epoch   uint64
	Chunk   uint64 `json:",omitempty"` // what of it is done?
	Segment uint64 `json:",omitempty"` // where is this segment of shared memory?
	Config  bool   `json:",omitempty"` // about the configuration …
	Lost    bool   `json:",omitempty"` // … or the others: what the driver has stored of it cannot be read
}

// answer is what the driver answers.
type answer struct {
	Err     string   `json:",omitempty"`
	Unknown bool     `json:",omitempty"` // the chunk is done, or was never
	Skip    [][2]int `json:",omitempty"` // jobs of it that are done: from, to
	Blob    []byte   `json:",omitempty"`
	Segment []byte   `json:",omitempty"` // a sharedmem.Segment, as JSON
}

// event is what a worker tells a driver by the way.
type event struct {
	Epoch  uint64
	Agent  string
	Kind   string        // one of the events
	Chunk  uint64        `json:",omitempty"`
	Worker string        `json:",omitempty"`
	Err    []byte        `json:",omitempty"`
	Record []byte        `json:",omitempty"`
	Since  time.Duration `json:",omitempty"`
}

// Kinds of events.
const (
	eventStarted = "started" // a worker is ready for its first job
	eventLost    = "lost"    // a worker's process has died
	eventLog     = "log"     // a record
	eventFull    = "full"    // results find no room; Since says since when
	eventRunning = "running" // the chunk that is to end is under way here
	eventClosing = "closing" // the end of the run has been heard of …
	eventClosed  = "closed"  // … and the workers are closed
)
