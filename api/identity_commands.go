package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Commands takes commands to the identity of a workspace. Implementations are
// safe for concurrent use.
type Commands interface {
	// Do sends a command and returns what became of it, applied or refused. It
	// returns ErrPending when the command was accepted and ctx ended before it
	// was applied: it will be. A command of an id that was applied before is not
	// applied again, and where that one asked something else Do returns
	// ErrCommandReused. Any other error means that it may not have been accepted.
	Do(ctx context.Context, c identity.Command) (*profiles.Command, error)
	// Get returns what became of a command, or profiles.ErrNoCommand.
	Get(ctx context.Context, workspace, id string) (*profiles.Command, error)
}

// ErrCommandReused reports that the id of a command names another one.
var ErrCommandReused = errors.New("the id names another command")

func commandReused() *problem {
	p := newProblem(http.StatusConflict, "command-id-reused", "The id names another command",
		"a command that asked something else has the id, and was done or refused; leave the id out, or use a new one")
	p.Code, p.Errors = string(identity.RefusedReused), []fault{{"/id", "is that of another command"}}
	return p
}

// commandKinds are the kinds of command, each with a route of its own.
var commandKinds = []identity.CommandKind{
	identity.Unmerge, identity.Link, identity.Separate, identity.BlockValue, identity.UnblockValue, identity.Undo, identity.Redeclare,
}

// The states of a command.
const (
	CommandApplied = "applied"
	CommandRefused = "refused"
	CommandPending = "pending" // accepted, and will be applied
)

// CommandOutcome is what became of a command. Who gave it and why is for admins.
type CommandOutcome struct {
	identity.Outcome
	Kind       identity.CommandKind `json:"kind"`
	Status     string               `json:"status"`
	ReceivedAt time.Time            `json:"received_at"`
	Actor      string               `json:"actor,omitempty"`
	Reason     string               `json:"reason,omitempty"`
}

func newCommandOutcome(c *profiles.Command, all bool) CommandOutcome {
	r := CommandOutcome{Outcome: c.Outcome, Kind: c.Kind, Status: CommandApplied, ReceivedAt: c.ReceivedAt}
	if c.Code != "" {
		r.Status = CommandRefused
	}
	if all {
		r.Actor, r.Reason = c.Actor, c.Reason
	}
	return r
}

// CommandAccepted is the answer when the outcome was not there in time.
type CommandAccepted struct {
	ID     string               `json:"id"`
	Kind   identity.CommandKind `json:"kind"`
	Status string               `json:"status"`
}

// postCommand takes a command of a kind, or of any kind that the body names, and
// waits for its outcome.
func (s *Server) postCommand(kind identity.CommandKind) func(*gin.Context) error {
	return func(c *gin.Context) error {
		if s.deps.Commands == nil || s.deps.Rules == nil {
			return ErrIdentityNotHere
		}
		var r commandRequest
		if err := decode(c, &r); err != nil {
			return err
		}
		command, err := s.command(c, kind, &r)
		if err != nil {
			return err
		}
		return s.give(c, command, r.DryRun)
	}
}

// give sends a command, or tries it, and answers with what became of it.
func (s *Server) give(c *gin.Context, command identity.Command, dryRun bool) error {
	keyer := s.deps.Keyer(command.Workspace)
	for _, id := range command.Identifiers {
		concerns(c, keyer.Key(id))
	}
	if dryRun {
		return s.tryCommand(c, command)
	}
	ctx, stop := context.WithTimeout(c.Request.Context(), s.cfg.CommandWait)
	defer stop()
	done, err := s.deps.Commands.Do(ctx, command)
	if errors.Is(err, ErrPending) && c.Request.Context().Err() == nil {
		return accepted(c, command)
	}
	if err != nil {
		return err
	}
	if done.Kind != command.Kind {
		return commandReused()
	}
	if done.Code != "" {
		return refusedCommand(&done.Outcome)
	}
	return send(c, newCommandOutcome(done, true))
}

// accepted answers 202 with the place where the outcome will be.
func accepted(c *gin.Context, command identity.Command) error {
	body, err := json.Marshal(CommandAccepted{ID: command.ID, Kind: command.Kind, Status: CommandPending})
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Location", "/v1/identity/commands/"+url.PathEscape(command.ID))
	h.Set("Retry-After", "1")
	c.Writer.WriteHeader(http.StatusAccepted)
	_, _ = c.Writer.Write(body)
	return nil
}

func (s *Server) getCommand(c *gin.Context) error {
	if s.deps.Commands == nil {
		return ErrIdentityNotHere
	}
	id, err := url.PathUnescape(c.Param("id"))
	if err != nil || !isCommandID(id) {
		return badRequest("the id of a command " + commandIDRule)
	}
	done, err := s.deps.Commands.Get(c.Request.Context(), workspaceOf(c), id)
	if err != nil {
		return err
	}
	return send(c, newCommandOutcome(done, s.veil(c).off))
}

// refusedCommand words a refusal: 409 where the state of the graph forbids it,
// 422 where the command can never hold.
func refusedCommand(o *identity.Outcome) *problem {
	status, title := http.StatusConflict, "The command was refused"
	switch o.Code {
	case identity.RefusedMalformed, identity.RefusedUnknown, identity.RefusedWhole, identity.RefusedRules:
		status = http.StatusUnprocessableEntity
	}
	detail := o.Detail
	if advice := refusalAdvice[o.Code]; detail == "" {
		detail = advice
	} else if advice != "" {
		detail += "; " + advice
	}
	p := newProblem(status, "identity-refused", title, detail)
	p.Code, p.Command = string(o.Code), o.ID
	return p
}

// refusalAdvice says what to do about a refusal.
var refusalAdvice = map[identity.RefusalCode]string{
	identity.RefusedMalformed:  "nothing was changed",
	identity.RefusedUnknown:    "check the spelling",
	identity.RefusedNotMerged:  "they are in different profiles already; ask /v1/identity/why",
	identity.RefusedMerged:     "they are linked already; ask /v1/identity/why",
	identity.RefusedWhole:      "name those who leave and let at least one identifier stay",
	identity.RefusedLimit:      "set override and a reason to link all the same",
	identity.RefusedCannotLink: "undo the command that parted them, or set override and a reason",
	identity.RefusedBlocked:    "a blocked value links nobody; unblock it first",
	identity.RefusedStanding:   "nothing was changed",
	identity.RefusedRules:      "nothing was changed",
	identity.RefusedShared:     "name an identifier that is the person's alone, such as a user id; a dry run shows which stay",
	identity.RefusedReused:     "leave the id out, or use a new one",
	identity.RefusedVersion:    "read the rules in force again and set expected to their version",
}

// newCommandID names a command that came without an id.
func newCommandID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	return hex.EncodeToString(b[:])
}
