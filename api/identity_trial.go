package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
)

// CommandTrial is what a command would do if it were given now. Its lists hold at
// most a thousand entries; the counts are of all.
type CommandTrial struct {
	// ID is that of the command: given with the same one, what it decides is on
	// record under it.
	ID        string               `json:"id"`
	Kind      identity.CommandKind `json:"kind"`
	DryRun    bool                 `json:"dry_run"`
	Decisions int                  `json:"decisions"`
	Pairs     int                  `json:"pairs"` // that would be rejected
	Moved     int                  `json:"moved"` // identifiers that would have another profile
	// Epoch and Sequence are the published version that it was tried on.
	Epoch    uint64 `json:"epoch"`
	Sequence uint64 `json:"sequence"`
	// Rejected are the pairs that would be no evidence any more, Decided all else
	// that would be decided.
	Rejected []TrialPair     `json:"rejected"`
	Decided  []TrialDecision `json:"decided"`
	// Moves are the identifiers that would move, and Profiles those that they
	// would leave or come to, with their sizes.
	Moves    []TrialMove    `json:"moves"`
	Profiles []TrialProfile `json:"profiles"`
}

// TrialPair is a pair of identifiers.
type TrialPair struct {
	A ShownIdentifier `json:"a"`
	B ShownIdentifier `json:"b"`
}

// TrialDecision is a decision that would be made; a block has no B.
type TrialDecision struct {
	Kind identity.DecisionKind `json:"kind"`
	A    ShownIdentifier       `json:"a"`
	B    *ShownIdentifier      `json:"b,omitempty"`
	On   bool                  `json:"on"`
}

// TrialMove is an identifier with its profile before and after.
type TrialMove struct {
	ShownIdentifier
	Before identity.ProfileID `json:"before"`
	After  identity.ProfileID `json:"after"`
}

// TrialProfile is a profile with its identifiers before and after.
type TrialProfile struct {
	Profile identity.ProfileID `json:"profile"`
	Before  int                `json:"before"`
	After   int                `json:"after"`
}

// DryRunStatus is how far a dry run of rules is.
type DryRunStatus struct {
	Running   bool       `json:"running"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	// Rows are those of the ledger read so far; when it stops growing the profiles
	// are being computed.
	Rows uint64 `json:"rows"`
}

// tryCommand answers what a command would do. What would be refused is a problem,
// as if it had been given.
func (s *Server) tryCommand(c *gin.Context, command identity.Command) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	t, err := graph.Try(c.Request.Context(), command)
	if err != nil {
		return err
	}
	if t.Code != "" {
		return refusedCommand(&t.Outcome)
	}
	v := s.veil(c, command.Identifiers...)
	r := CommandTrial{
		ID: command.ID, Kind: command.Kind, DryRun: true, Decisions: t.Decisions, Pairs: t.Pairs, Moved: t.Moved,
		Epoch: t.Epoch, Sequence: t.Sequence,
		Rejected: []TrialPair{}, Decided: []TrialDecision{}, Moves: make([]TrialMove, len(t.Moves)), Profiles: make([]TrialProfile, len(t.Profiles)),
	}
	for _, d := range t.Decided {
		if d.Kind == identity.Reject && d.On {
			r.Rejected = append(r.Rejected, TrialPair{v.show(d.A), v.show(d.B)})
			continue
		}
		r.Decided = append(r.Decided, TrialDecision{Kind: d.Kind, A: v.show(d.A), B: v.end(d.B), On: d.On})
	}
	for i, m := range t.Moves {
		r.Moves[i] = TrialMove{v.show(m.Identifier), identity.ProfileID(m.Before), identity.ProfileID(m.After)}
	}
	for i, p := range t.Profiles {
		r.Profiles[i] = TrialProfile{identity.ProfileID(p.Profile), p.Before, p.After}
	}
	return send(c, r)
}

// getDryRun answers how far the dry run of rules is, if one runs.
func (s *Server) getDryRun(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	p, err := graph.DryRunProgress(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	r := DryRunStatus{Running: p.Running, Rows: p.Rows}
	if p.Running {
		at := milliseconds(p.StartedAt)
		r.StartedAt = &at
	}
	return send(c, r)
}

// dryRunRunning refuses a second dry run.
func dryRunRunning() *problem {
	p := newProblem(http.StatusConflict, "dry-run-running", "Rules are being tried already",
		fmt.Sprintf("a dry run reads the whole ledger, so one of a workspace runs at a time; GET %s says how far it is", dryRunPattern))
	p.Code, p.retryAfter = "dry_run_running", "5"
	return p
}
