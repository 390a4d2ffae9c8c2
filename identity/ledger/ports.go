package ledger

import (
	"context"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// Partition is one partition of the evidence topic, owned under one generation
// of the consumer group. The ledger calls Fetch from one goroutine and Commit
// from another, each never concurrently with itself.
type Partition interface {
	// ID returns the number of the partition.
	ID() int
	// Generation returns the generation of the group that fences Commit.
	Generation() int32
	// Committed returns the offset to start from, 0 or more, and what the last
	// commit carried. Both are final: no owner of an older generation can
	// change them any more.
	Committed() (offset int64, metadata string)
	// Fetch returns the records from offset on, oldest first. It blocks up to a
	// maximum wait of its own for the first one, and may return none.
	// Message.Time is the broker's append time.
	Fetch(ctx context.Context, offset int64) ([]kafka.Message, error)
	// Commit stores the offset to continue from and metadata. An error means
	// that the partition may belong to another owner; the ledger then stops.
	Commit(ctx context.Context, offset int64, metadata string) error
}

// Notifier publishes notices. WriteMessages returns when all of them are
// acknowledged; *kafka.Writer with RequiredAcks set is one.
type Notifier interface {
	WriteMessages(ctx context.Context, messages ...kafka.Message) error
}

// Publisher decides which rows of the reading count. It is called by one
// goroutine per partition at a time.
type Publisher interface {
	// StartEpoch makes epoch the last epoch of workspace. From its return on, of
	// the rows of older epochs only those count that were published before, and
	// this is recorded in identity_epochs.
	StartEpoch(ctx context.Context, workspace string, epoch uint64) error
	// Publish makes the rows up to (epoch, sequence) visible to every reader,
	// all at once: a query that starts after it returned sees them.
	Publish(ctx context.Context, workspace string, epoch, sequence uint64) error
}

// Rejecter keeps the records that the ledger cannot use. Reject returns when
// they are stored durably; an error ends the ownership and nothing is committed.
// The same record may be rejected again after a crash.
type Rejecter interface {
	Reject(ctx context.Context, rejections []Rejection) error
}

// Reason is why a record cannot be used: a code of dead letters.
type Reason string

// The reasons.
const (
	// ReasonUnreadable is a record that is no evidence: of no known form, or
	// breaking the rules of identity.Evidence.
	ReasonUnreadable Reason = "evidence_unreadable"
	// ReasonForeign is evidence of a workspace that belongs to another partition.
	ReasonForeign Reason = "evidence_foreign_workspace"
	// ReasonCollision is evidence with an identifier whose key belongs to
	// another identifier already.
	ReasonCollision Reason = "identifier_collision"
	// ReasonCommand is a command that misses or breaks a field.
	ReasonCommand Reason = "command_malformed"
	// ReasonLinks is a batch of scored pairs that cannot be read or breaks a bound.
	ReasonLinks Reason = "links_malformed"
)

// Rejection is a record that the ledger cannot use. Detail names what is wrong
// and never a value.
type Rejection struct {
	Message   kafka.Message
	Workspace string // empty when the record does not say
	Reason    Reason
	Detail    string
}

// Graph computes profiles from evidence; identity/graph is one. A Graph is used
// by one goroutine at a time.
type Graph interface {
	// See adds a sighting: all its identifiers and all their pairs. It keeps
	// neither the list of members nor the texts of a namespace that it has met.
	// A value that was Blocked once is blocked, whatever later nodes say.
	See(sighting identity.Sighting)
	// Score adds what a model said of two records, at a time in milliseconds. Of
	// the scores of one pair the greatest (at, weight) stands; those of another
	// model than that of the rules are ignored.
	Score(a, b identity.Node, model string, weight, at int64)
	// Load begins to take a stored ledger; namespaces and sources are what its
	// rows name.
	Load(namespaces []identity.Namespace, sources []string) Loader
	// Erase takes away what was received of key at or before at, in milliseconds; it
	// comes before evidence of key that was received later.
	Erase(key identity.Key, at int64)
	// Decide adds a decision.
	Decide(decision identity.Decision)
	// Flush evaluates what was added since the last call.
	Flush() graph.Changes
	// Known reports whether key may have been seen; false is certain.
	Known(key identity.Key) bool
	// Profile returns the profile of key as of the last Flush; its own key when
	// it is not known.
	Profile(key identity.Key) identity.ProfileID
	// Deciding returns the member that decides to whom a set belongs, as of the
	// last Flush; false when none does. Of members it reads the keys.
	Deciding(members []identity.Node) (identity.Key, bool)
	// Moving reports whether key is known and of a namespace that moves between
	// people.
	Moving(key identity.Key) bool
	// Stats returns counts as of the last Flush.
	Stats() Stats
	Inspector
	Explainer
}

// Loader takes a stored ledger into a graph: identifiers, then pairs, each in
// batches and ascending by key, and then End. graph.Load is one.
type Loader interface {
	// Lists says that what follows names what the lists of Load do not: these begin
	// with them.
	Lists(namespaces []identity.Namespace, sources []string)
	Identifiers(batch []graph.StoredIdentifier)
	// Ahead prepares pairs that are to be taken later. Several may call it at once, and
	// while others are taken.
	Ahead(batch []graph.StoredPair)
	Pairs(batch []graph.StoredPair)
	End()
	// Missing returns the pairs of identifiers that were not stored; after End, Late
	// takes each with the namespaces of its two.
	Missing() []graph.StoredPair
	Late(pair graph.StoredPair, low, high identity.Namespace)
}

var _ Loader = (*graph.Load)(nil)

// Inspector is what commands ask of a graph, as of its last Flush; see the
// methods of these names in identity/graph.
type Inspector interface {
	State(key identity.Key) graph.State
	Members(profile identity.ProfileID) []identity.Key
	Across(leaving, staying []identity.Key) graph.Across
	Meeting(a, b identity.Key) graph.Meeting
	Alone(members []identity.Key) (alone, shared []identity.Key)
	Homes(persons []identity.Key) (values []identity.Key)
	Each(visit func(identity.Key, identity.Namespace, identity.ProfileID) bool)
	EachFrom(place uint32, visit func(identity.Key, identity.Namespace, identity.ProfileID) bool) uint32
	// Try returns what decisions would move, and leaves the graph as it was.
	Try(decisions []identity.Decision) []identity.Move
}

// Explainer is the part of a Graph that answers people. Its methods change
// nothing that See or Flush read.
type Explainer interface {
	// Settled reports whether all that the graph was told is evaluated; the
	// answers of the others hold only then.
	Settled() bool
	// Why explains two identifiers.
	Why(a, b identity.Key) graph.Explanation
	// Subgraph returns at most limit identifiers and pairs of a profile.
	Subgraph(p identity.ProfileID, limit int) graph.Subgraph
	// Survey describes the whole graph, in steps.
	Survey(top int, pairs bool) *graph.Survey
	// Questions walks the scored pairs that wait for a decision, in steps; Question
	// says whether one pair does.
	Questions(place uint32, n int, visit func(graph.Question)) (next uint32)
	Question(a, b identity.Key) (graph.Question, graph.Barrier, identity.ReviewStanding)
}

// Stats are figures of one workspace, as a function of its evidence.
type Stats struct {
	Identifiers int // all that are known
	Profiles    int // distinct profiles of unblocked, non-generic identifiers
	Merges      int // those identifiers less Profiles
	Rules       int // version of the rules in force
}
