package identity

import "errors"

// ErrTrialRunning says that rules are being tried on the workspace already: a
// trial reads the whole ledger, so there is one at a time.
var ErrTrialRunning = errors.New("rules are being tried on the workspace already")

// RulesTrial says what other rules would change. Nothing is changed by it.
type RulesTrial struct {
	// Refused says why the rules cannot be those of the workspace; empty when
	// they can. The rest is empty otherwise.
	Refused string `json:"refused,omitempty"`
	// Before and After count the ledger under the rules in force and under the
	// others.
	Before TrialCounts `json:"before"`
	After  TrialCounts `json:"after"`
	// Splits is the number of profiles of which the identifiers would be of
	// several, Joins that of profiles that would hold identifiers of several,
	// and Moves that of identifiers that would have another profile id.
	Splits int `json:"splits"`
	Joins  int `json:"joins"`
	Moves  int `json:"moves"`
	// Examples of each, at most twenty, the least ids first.
	SplitExamples []TrialExample    `json:"split_examples"`
	JoinExamples  []TrialExample    `json:"join_examples"`
	MoveExamples  []TrialIdentifier `json:"move_examples"`
}

// TrialCounts counts what rules make of the evidence.
type TrialCounts struct {
	Profiles int `json:"profiles"`
	Merges   int `json:"merges"`
}

// TrialExample is a profile that would split, or that would come of a join.
type TrialExample struct {
	Profile     Key               `json:"profile,string"` // its id
	Identifiers []TrialIdentifier `json:"identifiers"`    // at most twenty
	More        int               `json:"more"`           // further ones
}

// TrialIdentifier is an identifier with the ids of its profile before and after.
type TrialIdentifier struct {
	Key       Key       `json:"key,string"`
	Namespace Namespace `json:"namespace"`
	Before    Key       `json:"before,string"`
	After     Key       `json:"after,string"`
}

// TrialProgress is how far the trial of rules of a workspace has come.
type TrialProgress struct {
	Running   bool  `json:"running"`
	StartedAt int64 `json:"started_at"` // milliseconds since 1970 UTC
	// Rows are those read of the ledger so far. When it stops growing the
	// profiles are being computed.
	Rows uint64 `json:"rows"`
}

// MaxTrialList bounds the lists of a CommandTrial.
const MaxTrialList = 1000

// CommandTrial says what a command would do if it were given now. Nothing is
// changed by it. The lists hold at most MaxTrialList entries; the counts of the
// outcome are of all.
type CommandTrial struct {
	// Outcome is that which the command would have, with the version that it was
	// tried on.
	Outcome
	Decided  []TrialDecision `json:"decided"`
	Moves    []TrialMove     `json:"moves"`
	Profiles []TrialProfile  `json:"profiles"`
	// Erasure is what an erasure would take.
	Erasure *TrialErasure `json:"erasure,omitempty"`
}

// TrialErasure is what an erasure would take out of the ledger.
type TrialErasure struct {
	Profile Key          `json:"profile,string"`
	Erased  []Identifier `json:"erased"` // at most MaxTrialList
	Shared  []Identifier `json:"shared"` // that stay, because others were seen with them
	// Anchors are those of the person's events; Spans those that are for some time.
	Anchors []AnchorID  `json:"anchors"`
	Spans   []TrialSpan `json:"spans,omitempty"`
}

// TrialSpan is a stretch of time, milliseconds since 1970 UTC, in which what
// happened to an anchor was the person's.
type TrialSpan struct {
	Anchor AnchorID `json:"anchor"`
	Since  int64    `json:"since"`
	Until  int64    `json:"until"`
}

// TrialDecision is a decision that would be made; B is empty for a block.
type TrialDecision struct {
	Kind DecisionKind `json:"kind"`
	A    Identifier   `json:"a"`
	B    Identifier   `json:"b"`
	On   bool         `json:"on"`
}

// TrialMove is an identifier that would be of another profile.
type TrialMove struct {
	Identifier
	Key    Key `json:"key,string"`
	Before Key `json:"before,string"` // ids of its profile
	After  Key `json:"after,string"`
}

// TrialProfile is a profile that would lose or gain identifiers, with how many it
// has and would have.
type TrialProfile struct {
	Profile Key `json:"profile,string"`
	Before  int `json:"before"`
	After   int `json:"after"`
}
