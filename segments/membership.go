package segments

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// ID names a segment within its workspace: 1 to 64 of a-z, 0-9, _ and -.
type ID string

// Valid reports whether id is the name that a segment may have.
func (id ID) Valid() bool {
	if id == "" || len(id) > MaxIDBytes || id.Path() {
		return false
	}
	for _, b := range []byte(id) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' && b != '-' {
			return false
		}
	}
	return true
}

// Path reports whether id is a path of its own below that of the segments, which no
// segment may be named like.
func (id ID) Path() bool { return id == "preview" || id == "parse" || id == "overlap" }

// ErrNoSegment reports a segment that does not exist or was archived.
var ErrNoSegment = errors.New("there is no such segment")

// Segment is a segment as it stands, or as one revision made it.
type Segment struct {
	ID          ID
	Revision    uint64
	ChangedAt   time.Time
	Actor       string // name of the API key
	Description string
	Definition  json.RawMessage
	Archived    bool
	State       State // not of revisions
}

// State says how the evaluation of a segment fares. A segment that could not be
// evaluated keeps the members of the last time that it could.
type State struct {
	EvaluatedAt time.Time // the last try; zero before the first
	GoodAt      time.Time // the last success; the members are of then
	Revision    uint64    // of the definition that the members are of
	Members     uint64
	Error       string // "" when the last try succeeded
}

// Cause says why somebody entered or left a segment.
type Cause string

// The causes of changes.
const (
	ByDefinition Cause = "definition" // the segment has changed
	ByProfile    Cause = "profile"    // it is part of another profile now
	ByData       Cause = "data"       // what is known of it has changed, or time has passed
)

// Change is one entering or leaving.
type Change struct {
	Segment  ID
	Profile  identity.ProfileID
	Block    uint64 // place in the history of all segments, with Segment and Profile
	Entered  bool
	Time     time.Time // as of when it was found
	Cause    Cause
	Revision uint64 // of the definition
	// Leaves are the places in the definition, as JSON pointers, of the leaves that
	// the change came by: those whose answer is another than at the last change of
	// the profile in the segment; where there was none under this revision, those
	// that let it in or keep it out.
	Leaves []string
}

// Member is a profile that is in a segment, or was at the time asked for.
type Member struct {
	Profile identity.ProfileID
	Since   time.Time
}

// Membership is a segment that a profile is in.
type Membership struct {
	Segment ID
	Since   time.Time
}

// Memberships answers who is and was in the live segments. Implementations are safe
// for concurrent use.
type Memberships interface {
	// List returns the live segments of a workspace by name.
	List(ctx context.Context, workspace string) ([]Segment, error)
	// Get returns one live segment, or ErrNoSegment.
	Get(ctx context.Context, workspace string, id ID) (*Segment, error)
	// Versions returns every revision of a segment, the newest first, also of one
	// that was archived; ErrNoSegment when there never was one.
	Versions(ctx context.Context, workspace string, id ID) ([]Segment, error)
	// Members returns at most limit members at a time, those after a profile id, by
	// id; a zero time is now.
	Members(ctx context.Context, workspace string, id ID, at time.Time, after identity.ProfileID, limit int) ([]Member, error)
	// Changes returns at most limit changes of a segment after (block, profile), the
	// oldest first.
	Changes(ctx context.Context, workspace string, id ID, block uint64, after identity.ProfileID, limit int) ([]Change, error)
	// Of returns the live segments that a profile is in, by name.
	Of(ctx context.Context, workspace string, profile identity.ProfileID) ([]Membership, error)
}
