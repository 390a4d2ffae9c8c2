package activation

import (
	"errors"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// ID names a destination within its workspace: 1 to 64 of a-z, 0-9, _ and -.
type ID string

// Valid reports whether id is the name that a destination may have.
func (id ID) Valid() bool { return segments.ID(id).Valid() && id != presetsPath }

// presetsPath is a path of its own beside those of destinations.
const presetsPath = "presets"

// Kind is a way to tell somebody.
type Kind string

// The kinds of destinations.
const (
	Webhook Kind = "webhook" // JSON in the form of Kindred, of a preset, or of fields
	Segment Kind = "segment" // the calls of Segment that its audiences send
	Email   Kind = "email"   // the person gets a message
)

// ErrNoDestination reports a destination that does not exist or was archived.
var ErrNoDestination = errors.New("there is no such destination")

// ErrConflict and ErrRefused are wrapped by the errors of changes that were not made.
var (
	ErrConflict = errors.New("conflict")
	ErrRefused  = errors.New("refused")
)

// Destination is a destination as it stands.
type Destination struct {
	Workspace  string
	ID         ID
	Revision   uint64
	ChangedAt  time.Time
	Actor      string // name of the API key
	Definition Definition
	State      State

	sealed map[string]string // secrets by name
}

// SecretHeaders are the names of the headers whose values nobody is shown.
func (d *Destination) SecretHeaders() []string { return secretHeaders(d.sealed) }

// State says how a destination fares.
type State struct {
	// Block is where in segment_changes it goes on.
	Block uint64
	// At is when that was; zero for never.
	At time.Time
	// SyncedAt is when all members were compared last with what it was told; zero for
	// never.
	SyncedAt time.Time
	// Delivered, Withheld, Passed and Letters count changes, of all time: taken by the
	// receiver; not sent for want of consent or under a restriction; of nobody any more;
	// and dead letters.
	Delivered, Withheld, Passed, Letters uint64
	// Failing are attempts that have failed since the last one that did not, and Error
	// says why the last did.
	Failing uint64
	Error   string
}
