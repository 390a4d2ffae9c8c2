package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Topic carries commands as JSON, keyed by workspace; it has one partition.
const Topic = "kindred.control"

// Group is the consumer group of the owner.
const Group = "kindred-control"

// MaxCommand is the greatest size of a command in bytes, below what brokers
// take by default.
const MaxCommand = 800 << 10

// Command asks for one change.
type Command struct {
	// ID is made by the sender; a second command of one ID is not applied.
	ID        string `json:"id"`
	Workspace string `json:"workspace"`
	// Kind names the change, such as "plan.put".
	Kind string `json:"kind"`
	// Subject is what it is about, such as the name of a plan. No personal data.
	Subject string `json:"subject,omitempty"`
	// Actor is the name of the API key that asked for it.
	Actor string          `json:"actor"`
	Body  json.RawMessage `json:"body"`
}

func (c *Command) validate() error {
	if c.ID == "" || len(c.ID) > 64 || c.Workspace == "" || len(c.Workspace) > 64 || c.Kind == "" || len(c.Kind) > 64 {
		return errors.New("id, workspace and kind must have 1 to 64 bytes")
	}
	if len(c.Actor) > 200 || len(c.Subject) > 200 {
		return errors.New("actor and subject must have at most 200 bytes")
	}
	return nil
}

// Placed is a command with its place in the order of all commands.
type Placed struct {
	Command
	Revision uint64
	Time     time.Time // when the broker appended it
}

// Token is the insert token of the rows that the command writes.
func (p *Placed) Token() string { return fmt.Sprintf("%s/0/%d", Topic, p.Revision-1) }

// Verdict is what became of a command.
type Verdict string

// The verdicts.
const (
	OK       Verdict = "ok"
	Conflict Verdict = "conflict" // something changed since the sender looked
	Refused  Verdict = "refused"  // it breaks a rule
)

// Result is what a handler has done.
type Result struct {
	Verdict Verdict
	Detail  string // why not: the field and the rule, never a value
	Body    any    // what was done, encoded as a JSON object
}

// Refuse returns a result that says why nothing was done.
func Refuse(v Verdict, format string, args ...any) Result {
	return Result{Verdict: v, Detail: fmt.Sprintf(format, args...)}
}

// Handler applies the commands of some kinds.
type Handler interface {
	// Apply does what the command asks for, or says why not. It must depend on
	// nothing but the command and what lower revisions have written, and write
	// under the command's token: it is called again after a crash. An error
	// means that it could not be done now; the owner tries again without end.
	Apply(ctx context.Context, c *Placed) (Result, error)
}

// Outcome is what became of a command, as its sender sees it.
type Outcome struct {
	CommandID string
	Revision  uint64
	Verdict   Verdict
	Detail    string
	Body      json.RawMessage
}
