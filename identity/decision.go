package identity

// DecisionKind is a kind of operator decision in the ledger.
type DecisionKind string

// The kinds of decision. Block, Reject, CannotLink and MustLink are on or off;
// of the decisions with one (Kind, A, B) the greatest (At, ID) stands.
const (
	Block      DecisionKind = "block"       // A: links no one
	Reject     DecisionKind = "reject"      // the pair A, B is no evidence
	CannotLink DecisionKind = "cannot_link" // A and B never share a profile
	MustLink   DecisionKind = "must_link"   // A and B are fused into one node
)

// Decision is one operator decision. Decisions are appended, never changed.
type Decision struct {
	Kind   DecisionKind `json:"kind"`
	A      Key          `json:"a"`
	B      Key          `json:"b"` // zero for Block; otherwise A < B
	On     bool         `json:"on"`
	At     int64        `json:"at"` // milliseconds since 1970 UTC
	ID     string       `json:"id"` // unique; orders decisions of equal time
	Actor  string       `json:"actor"`
	Reason string       `json:"reason"`
}

// RenamedAt is the time of the must-link that an alias event makes where the
// rules let its source rename: before all that operators decide, so that what
// they say of the same two stands, whatever aliases come after it.
const RenamedAt int64 = 0

// Move says that an identifier's profile changed.
type Move struct {
	Identifier Key
	Old, New   ProfileID // Old equals the identifier's own key when it was new
}

// Attribution says that a set of two or more has a new deciding identifier.
type Attribution struct {
	Anchor   AnchorID
	Old, New Key // Old is zero when the set is new
}

// Changes is what one flush of the identity owner publishes: sorted by subject,
// each subject at most once, only where old and new differ.
type Changes struct {
	Moves []Move
	Sets  []Attribution
}
