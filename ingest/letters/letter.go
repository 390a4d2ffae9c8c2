package letters

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// The states of a letter.
const (
	Open      = "open"      // nothing was done yet
	Replayed  = "replayed"  // on its way, no outcome yet
	Stored    = "stored"    // it is an event now, or an equal one was before
	Failed    = "failed"    // the last replay broke a rule again
	Discarded = "discarded" // nobody needs it
)

// Limits.
const (
	MaxLetters = 1000      // of one command
	MaxValue   = 512 << 10 // bytes of an edited message
	maxReplay  = 800 << 10 // bytes of a message that goes through Kafka again
	maxReason  = 1000      // bytes
	maxPage    = 500       // letters
	maxFilter  = 200       // bytes of a text in a filter

)

// ErrNotFound reports a letter that is not in the workspace.
var ErrNotFound = errors.New("there is no such dead letter")

// ErrConflict reports that something changed since the caller looked, or that
// the letter's state forbids it; the wrapping error says what.
var ErrConflict = errors.New("conflict")

// ErrRefused reports a request that breaks a rule; the wrapping error says which.
var ErrRefused = errors.New("refused")

// Letter is a dead letter without its bytes.
type Letter struct {
	ID         string // 32 hexadecimal digits
	Received   time.Time
	Kind       string
	Source     string
	Reason     string
	Detail     string
	Position   string // where in its input it stood, or its topic/partition/offset
	Bytes      uint64
	Status     string
	Attempts   uint64
	Revision   uint64 // of the last action, 0 for none
	LastReason string // of the last replay that failed
}

// Event is one entry of a letter's history.
type Event struct {
	Time     time.Time
	Revision uint64 // of the action; of an outcome that of the replay
	What     string // edit, replay, discard or note; stored, duplicate or failed
	Actor    string
	Reason   string // of the action, or the code of a failure
	Detail   string // of a failure
}

// Whole is a letter with its bytes and its history.
type Whole struct {
	Letter
	MessageID string
	Value     []byte
	Edited    []byte // the standing edit, nil for none
	Headers   map[string]string
	History   []Event
}

// Filter picks letters. Empty fields pick all.
type Filter struct {
	Reason, Source, Kind string
	Statuses             []string
	Since, Until         time.Time // of receipt; Until is exclusive
}

// Validate reports the first fault of f.
func (f Filter) Validate() error {
	for name, v := range map[string]string{"reason": f.Reason, "source": f.Source} {
		if len(v) > maxFilter {
			return fmt.Errorf("%w: %s has more than %d bytes", ErrRefused, name, maxFilter)
		}
	}
	if f.Kind != "" && !slices.Contains(wire.Kinds(), wire.Kind(f.Kind)) {
		return fmt.Errorf("%w: kind is none of the kinds of events", ErrRefused)
	}
	for _, s := range f.Statuses {
		if !slices.Contains([]string{Open, Replayed, Stored, Failed, Discarded}, s) {
			return fmt.Errorf("%w: status must be open, replayed, stored, failed or discarded", ErrRefused)
		}
	}
	for name, t := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !t.IsZero() && (t.Year() < 1970 || t.Year() > 2200) {
			return fmt.Errorf("%w: %s must be between 1970 and 2200", ErrRefused, name)
		}
	}
	return nil
}

// Count sums up letters that are alike.
type Count struct {
	Reason, Source, Kind, Status string
	Letters                      uint64
	First, Last                  time.Time
}

// reused reports whether a letter of the reason needs another id to become an
// event.
func reused(reason string) bool { return reason == string(ingest.ReasonReused) }
