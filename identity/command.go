package identity

import (
	"encoding/json"
	"slices"
	"strings"
)

// CommandKind is what an operator asks of a workspace's identity.
type CommandKind string

// The kinds of command.
const (
	// Unmerge parts Identifiers, who leave, from the rest of their one profile:
	// every pair across the cut is rejected, must-links across it are revoked,
	// and the two founders can never be linked again.
	Unmerge CommandKind = "unmerge"
	// Link fuses the two Identifiers and so their profiles. Where it breaks a
	// limit or meets a cannot-link it needs Override, and the
	// cannot-links are revoked. Two identifiers that follow others, of whom a limit
	// allows one, are then with one of them, and the other stays apart: with Whole
	// all identifiers of a namespace beyond its limit are fused with each other, so
	// that the two profiles become one.
	Link CommandKind = "link"
	// Separate says of the two Identifiers, who are of two profiles, that they never
	// share one: they are cannot-linked, whatever is seen or scored of them.
	Separate CommandKind = "separate"
	// BlockValue and UnblockValue take Identifiers out of all linking, and back.
	BlockValue   CommandKind = "block"
	UnblockValue CommandKind = "unblock"
	// Undo revokes every decision of the command Target.
	Undo CommandKind = "undo"
	// Redeclare makes Rules the rules of the workspace, where the rules in force
	// are of version Expected.
	Redeclare CommandKind = "rules"
	// Erase takes the person of the one of Identifiers out of the ledger: all
	// identifiers of the profile but those that others were seen with too. What was
	// received of them until then counts no more, also when it comes again.
	Erase CommandKind = "erase"
)

// HeaderCommand is the header that tells a command from evidence on the topic
// of evidence: an owner applies both in the order in which they stand there.
const HeaderCommand = "kindred-command"

// Command is what an operator asks. A command is applied once, however often it
// comes: its ID names it in its workspace.
type Command struct {
	ID          string       `json:"id"` // 1 to 100 bytes
	Workspace   string       `json:"workspace"`
	Kind        CommandKind  `json:"kind"`
	Identifiers []Identifier `json:"identifiers,omitempty"` // normalised
	Target      string       `json:"target,omitempty"`      // of Undo
	Rules       string       `json:"rules,omitempty"`       // of Redeclare: a rule file as JSON
	Expected    int          `json:"expected,omitempty"`    // of Redeclare
	Override    bool         `json:"override,omitempty"`
	Whole       bool         `json:"whole,omitempty"` // of Link
	Actor       string       `json:"actor"`           // who asks; personal
	Reason      string       `json:"reason"`          // why; required with Override
}

// Body returns a hash of what c asks, but for who asks and what they have seen
// before: of two commands of one id that ask the same it is the same. It is keyed,
// because it is stored.
func (c Command) Body(keyer Keyer) uint64 {
	c.ID, c.Workspace, c.Actor, c.Expected = "", "", "", 0
	c.Identifiers = slices.Clone(c.Identifiers)
	slices.SortFunc(c.Identifiers, func(a, b Identifier) int { return strings.Compare(a.String(), b.String()) })
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // Texts, numbers and booleans always marshal.
	}
	return uint64(keyer.Key(Identifier{Namespace: "command", Value: string(text)}))
}

// Outcome is what became of a command.
type Outcome struct {
	ID        string `json:"id"`
	Workspace string `json:"-"`
	// Code is empty when the command was applied, else what it broke.
	Code   RefusalCode `json:"code,omitempty"`
	Detail string      `json:"detail,omitempty"` // names rules and counts, never values
	// Decisions are the ids of what was decided, Pairs the number of pairs
	// rejected, and Moved that of identifiers whose profile changed.
	Decisions int `json:"decisions"`
	Pairs     int `json:"pairs"`
	Moved     int `json:"moved"`
	// Epoch and Sequence are the published version that shows the effect.
	Epoch    uint64 `json:"epoch"`
	Sequence uint64 `json:"sequence"`
}

// RefusalCode says why a command changed nothing.
type RefusalCode string

// The refusals.
const (
	RefusedMalformed  RefusalCode = "malformed"       // misses or breaks a field
	RefusedUnknown    RefusalCode = "unknown"         // an identifier or target that the ledger does not know
	RefusedNotMerged  RefusalCode = "not_merged"      // an unmerge of what is in different profiles
	RefusedMerged     RefusalCode = "already_linked"  // a link of what is fused, or a separation of what is one profile
	RefusedWhole      RefusalCode = "whole_profile"   // an unmerge that leaves nobody behind
	RefusedLimit      RefusalCode = "limit"           // a link over a limit without override
	RefusedCannotLink RefusalCode = "cannot_link"     // a link of what was parted without override
	RefusedBlocked    RefusalCode = "blocked"         // a link of a blocked value
	RefusedStanding   RefusalCode = "already_decided" // a block of what is blocked, a separation of what is separate, an undo of what is undone
	RefusedRules      RefusalCode = "rules"           // rules that contradict each other
	RefusedVersion    RefusalCode = "version"         // rules of another version are in force
	RefusedReused     RefusalCode = "id_reused"       // another command has the id; of trials, also the same
	RefusedShared     RefusalCode = "shared"          // an erasure by an identifier that others were seen with too
)
