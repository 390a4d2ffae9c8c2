package profiles

import (
	"errors"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// ErrNoCommand says that no command of that id has an outcome in the workspace:
// nobody gave it, or it is not applied yet.
var ErrNoCommand = errors.New("the command has no outcome")

// ErrNoRules says that nobody has declared rules for the workspace, so that it
// has those it was started with.
var ErrNoRules = errors.New("the workspace has declared no rules")

// Command is what became of a command to the identity of a workspace, as the
// owner of the identity has put it on record.
type Command struct {
	identity.Outcome
	Kind       identity.CommandKind
	ReceivedAt time.Time
	Actor      string // personal
	Reason     string // personal
	// Body is identity.Command.Body of the command; 0 when it is not known.
	Body uint64
}

// DeclaredRules is a version of the rules that a workspace has declared.
type DeclaredRules struct {
	Version    int
	Rules      string // a rule file as JSON
	DeclaredAt time.Time
}
