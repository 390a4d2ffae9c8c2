package inquiry

import (
	"context"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Inquirer answers questions about identity graphs. Its methods are safe for
// concurrent use, change nothing, and return identity.ErrNotOwner where the
// graph of the workspace is not within reach: elsewhere, or not loaded yet.
type Inquirer interface {
	// Why says why a and b, normalised and with their keys, are one profile, or
	// which rule keeps them apart. Identifiers that were never seen are no error.
	Why(ctx context.Context, workspace string, a, b identity.Member) (identity.Explanation, error)
	// Subgraph returns what holds a profile together; profile is any id that was
	// ever given out, and one of nobody gives an empty subgraph.
	Subgraph(ctx context.Context, workspace string, profile identity.ProfileID) (identity.Subgraph, error)
	// Health describes the whole graph; an answer may be some seconds old.
	Health(ctx context.Context, workspace string) (identity.Health, error)
	// Review returns a part of the review queue, or says of one pair whether it
	// waits; identity.ErrReviewCursor for a cursor that is none.
	Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (identity.Review, error)
	// TryRules says what other rules, a rule file as JSON, would change. It reads
	// the whole ledger and may take minutes; the end of ctx ends it. One runs at a
	// time: others get identity.ErrTrialRunning.
	TryRules(ctx context.Context, workspace string, rules []byte) (identity.RulesTrial, error)
	// TrialProgress says how far it is.
	TrialProgress(ctx context.Context, workspace string) (identity.TrialProgress, error)
	// TryCommand says what a command, normalised, would do if it were given now.
	TryCommand(ctx context.Context, c identity.Command) (identity.CommandTrial, error)
}

// Bounds of a request. What carries a rule file or a command may be larger, and
// a trial of rules may take longer.
const (
	maxRequest  = 64 << 10 // bytes
	maxLarge    = 4 << 20  // bytes
	maxAnswer   = 16 << 20 // bytes
	maxDuration = 10 * time.Second
	maxTrial    = 30 * time.Minute
)

// The paths of the service.
const (
	pathWhy      = "/inquiry/v1/why"
	pathSubgraph = "/inquiry/v1/subgraph"
	pathHealth   = "/inquiry/v1/health"
	pathReview   = "/inquiry/v1/review"
	pathRules    = "/inquiry/v1/try-rules"
	pathProgress = "/inquiry/v1/progress"
	pathCommand  = "/inquiry/v1/try-command"
)

// question is the body of every request; each path reads its part.
type question struct {
	Workspace string            `json:"workspace"`
	A         *identity.Member  `json:"a,omitempty"`
	B         *identity.Member  `json:"b,omitempty"`
	Profile   uint64            `json:"profile,omitempty"`
	Rules     []byte            `json:"rules,omitempty"`
	Command   *identity.Command `json:"command,omitempty"`

	Review *identity.ReviewQuery `json:"review,omitempty"`
}

// explanation and subgraph carry profile ids as numbers: as text an id of no one
// cannot be read back.
type explanation struct {
	identity.Explanation
	ProfileA uint64 `json:"profile_a"`
	ProfileB uint64 `json:"profile_b"`
}

type subgraph struct {
	identity.Subgraph
	Profile uint64 `json:"profile"`
}
