package identity

import "errors"

// ErrNotOwner says that a process does not own the identity graph of a
// workspace, or not yet: another one can answer, or this one later.
var ErrNotOwner = errors.New("the identity graph of the workspace is not owned here")

// Explanation says why two identifiers are one profile, or why they are not.
type Explanation struct {
	A        Identifier `json:"a"`
	B        Identifier `json:"b"`
	Same     bool       `json:"same"`
	ProfileA ProfileID  `json:"profile_a"`
	ProfileB ProfileID  `json:"profile_b"`
	// Path leads from A to B where they are one profile, hop by hop; else it is
	// as far as the evidence between them goes, and may be empty.
	Path []Hop `json:"path"`
	// Barrier is what keeps them apart where they are not one profile.
	Barrier *Barrier `json:"barrier,omitempty"`
}

// HopKind is how two identifiers next to each other on a path hold together.
type HopKind string

// The kinds of hop.
const (
	HopFused   HopKind = "must_link"   // an operator fused them
	HopFollows HopKind = "follows"     // the weaker follows the stronger
	HopJoined  HopKind = "joined"      // loose groups joined
	HopClaimed HopKind = "claimed"     // a cluster was admitted to the profile that it claims
	HopLinked  HopKind = "record_link" // linkage of records, weight in hundredths of a bit
)

// Hop is one step of a path.
type Hop struct {
	From Identifier `json:"from"`
	To   Identifier `json:"to"`
	Kind HopKind    `json:"kind"`
	// Rule says in plain words which rule joined them.
	Rule string `json:"rule"`
	// Weight is that of a record link; 0 for others. Link says what it is made of.
	Weight int64      `json:"weight,omitempty"`
	Link   *LinkScore `json:"link,omitempty"`
	// Evidence is where the pair was seen, earliest first, at most ten; Decision is
	// the command behind a must-link.
	Evidence []Seen `json:"evidence,omitempty"`
	Decision string `json:"decision,omitempty"`
}

// Seen is one row of evidence for a pair.
type Seen struct {
	Source     string `json:"source"`
	Rule       string `json:"rule"`
	Period     Period `json:"period"`
	FirstEvent int64  `json:"first_event"` // milliseconds since 1970 UTC
	LastEvent  Day    `json:"last_event"`
	// MessageID names an event that shows the pair, WitnessTime is its time.
	MessageID   string `json:"message_id"`
	WitnessTime int64  `json:"witness_time"`
}

// BarrierKind is a rule that keeps two identifiers apart.
type BarrierKind string

// The barriers.
const (
	BarrierUnknown    BarrierKind = "nothing_known" // no evidence connects them
	BarrierBlocked    BarrierKind = "blocked"       // a blocked value stands between them
	BarrierGeneric    BarrierKind = "generic"       // a value seen with too many stands between them
	BarrierCrowded    BarrierKind = "crowded"       // a value with too many weaker neighbours
	BarrierVoid       BarrierKind = "void"          // untrusted evidence about a shielded identifier, or two principals
	BarrierRetired    BarrierKind = "retired"       // a past tenure of a moving identifier
	BarrierRejected   BarrierKind = "rejected"      // an operator rejected the pair
	BarrierCannotLink BarrierKind = "cannot_link"   // an operator parted them
	BarrierLimit      BarrierKind = "limit"         // a limit would break
	BarrierStronger   BarrierKind = "stronger"      // an end follows stronger or earlier evidence elsewhere
	BarrierSize       BarrierKind = "size"          // a group or unit beyond its cap
	BarrierWeight     BarrierKind = "weight"        // a record link below the threshold
)

// Barrier is what keeps two identifiers apart: the first pair, in the order of
// evidence, between what would otherwise be one, and the rule that refused it.
type Barrier struct {
	Kind   BarrierKind `json:"kind"`
	From   Identifier  `json:"from"`
	To     Identifier  `json:"to"`
	Detail string      `json:"detail"` // in plain words, with the limit or count
	// Link is the score of the pair, where it is one of records.
	Link *LinkScore `json:"link,omitempty"`
}

// Subgraph is everything that holds one profile together.
type Subgraph struct {
	Profile     ProfileID         `json:"profile"`
	Household   string            `json:"household,omitempty"`
	Identifiers []GraphIdentifier `json:"identifiers"` // by first seen
	Pairs       []GraphPair       `json:"pairs"`
	Truncated   bool              `json:"truncated"` // there is more than is shown
}

// GraphIdentifier is an identifier of a subgraph.
type GraphIdentifier struct {
	Identifier
	Key       Key    `json:"key,string"`
	FirstSeen int64  `json:"first_seen"`
	State     string `json:"state"` // "", blocked, generic, crowded, gone
	Founder   bool   `json:"founder"`
	Follows   string `json:"follows,omitempty"` // namespace:value of the one it follows
}

// GraphPair is a pair of a subgraph, and whether it links.
type GraphPair struct {
	A     Identifier `json:"a"`
	B     Identifier `json:"b"`
	Links bool       `json:"links"`
	// State is "linking" where the profile rests on the pair, "redundant" where it
	// might; a BarrierKind where the pair does not link; "must_link" or
	// "record_link" where it is no evidence but a decision or a score.
	State string `json:"state"`
	// Link is the score behind a record link, which was not seen.
	Link  *LinkScore `json:"link,omitempty"`
	First int64      `json:"first_seen"`
	Last  Day        `json:"last_seen"`
}

// Health is the state of a workspace's identity graph.
type Health struct {
	Identifiers, Profiles, Merges, Pairs, Blocked, Generic int
	// Sizes counts profiles by their number of identifiers, in powers of two:
	// Sizes[i] have 2^i to 2^(i+1)-1.
	Sizes []int `json:"sizes"`
	// Largest are the profiles of most identifiers, Weakest those of three or
	// more whose two parts a single pair holds together: the greatest smaller
	// part first, of equals the latest pair.
	Largest []HealthProfile `json:"largest"`
	Weakest []HealthBridge  `json:"weakest"`
	// Generics are the values seen with too many, by neighbours. Conflicts counts
	// what was refused, by kind: groups and clusters that a profile did not admit,
	// pairs that two profiles with a principal each share (limit), and void pairs.
	Generics  []HealthValue       `json:"generic_values"`
	Conflicts map[BarrierKind]int `json:"conflicts"`
	// Density is linking pairs to identifiers of profiles with two or more.
	Density float64 `json:"density"`
}

// HealthProfile is a profile with its size.
type HealthProfile struct {
	Profile     ProfileID `json:"profile"`
	Identifiers int       `json:"identifiers"`
	Pairs       int       `json:"pairs"`
}

// HealthBridge is a pair whose loss would part a profile.
type HealthBridge struct {
	Profile ProfileID `json:"profile"`
	A       Key       `json:"a,string"`
	B       Key       `json:"b,string"`
	Smaller int       `json:"smaller"` // identifiers of the smaller part
}

// HealthValue is a generic value.
type HealthValue struct {
	Key        Key       `json:"key,string"`
	Namespace  Namespace `json:"namespace"`
	Neighbours int       `json:"neighbours"`
}
