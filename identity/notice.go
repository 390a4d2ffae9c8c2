package identity

// Notice is the value of a message on the topic of the identity role: changes
// of the published reading, in the order in which they were published. It says
// "read again", never a state: it may repeat, and what it names may have
// changed again since.
type Notice struct {
	Workspace string   `json:"workspace"`
	Epoch     uint64   `json:"epoch"`
	Changes   []Change `json:"changes"` // ascending by Sequence
}

// ChangeKind is what a change is about.
type ChangeKind string

// The kinds of change.
const (
	// ChangedIdentifier: the profile of an identifier. Subject is its key, Old
	// and New are profile ids; Old is its own key when it was new.
	ChangedIdentifier ChangeKind = "identifier"
	// ChangedSet: the identifier that decides to whom the events of a set
	// belong. Subject is the anchor, Old and New are keys of identifiers: the
	// profiles to read again are those of both, now. Old is zero when the set is
	// new, New is zero when nothing decides it any more.
	ChangedSet ChangeKind = "set"
	// ChangedTenures: the past tenures of an identifier that moves between
	// people, such as a phone. Subject is its key. Old and New are keys of
	// identifiers: the events of some time that it decides belonged to the
	// profile of Old and belong to that of New, so both are to be read again.
	// They are the identifier itself where no time has another owner.
	ChangedTenures ChangeKind = "tenures"
	// ChangedHousehold: the household of a profile. Subject is the profile id,
	// Old and New are household ids, zero for none. What is to be read again are
	// the profile and all profiles of both households.
	ChangedHousehold ChangeKind = "household"
	// ChangedGone: an identifier was erased. Subject is its key, Old the id of the
	// profile that it was of, New zero.
	ChangedGone ChangeKind = "gone"
)

// Change is one changed subject. (Epoch, Sequence) is its id in its workspace.
type Change struct {
	Sequence uint64     `json:"sequence"`
	Kind     ChangeKind `json:"kind"`
	Subject  uint64     `json:"subject,string"`
	Old      uint64     `json:"old,string"`
	New      uint64     `json:"new,string"`
	Cause    string     `json:"cause"`
}
