package ingest

import (
	"encoding/json"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Position is where a record stands in Kafka.
type Position struct {
	Topic     string
	Partition int
	Offset    int64
}

// Hash is the 128-bit keyed hash of a message's deduplication key: workspace,
// kind, source and message id. Low half first.
type Hash [2]uint64

// Millis is a time in milliseconds since 1970 UTC.
type Millis = int64

// Event is one valid event, immutable once decoded.
type Event struct {
	Workspace string
	Kind      wire.Kind
	ID        string
	Name      string
	Type      string
	Source    string

	// The four times. Time is never after Received.
	Time, Original, Sent, Received Millis

	Identifiers []identity.Identifier // all, normalised
	Members     []identity.Member     // those that count towards the anchor
	Anchor      identity.AnchorID

	Properties, Traits, Context json.RawMessage // JSON objects, or nil

	// URL, Referrer, Campaign and Session are taken from the context of
	// behaviour events.
	URL, Referrer, Campaign, Session string

	Consents []Consent // stated by the event

	Order *Order // of kind transaction only
	Parts Parts  // of the other kinds beyond behaviour

	Hash     Hash
	BodyHash uint64 // of what the sender said, without the times of sending
	Position Position

	raw       []byte // the record's value, kept for a dead letter
	forwarded bool   // moved here from another partition
}

// Order is the typed part of a transaction.
type Order struct {
	Type, ID, Status, Currency      string
	Amount, Tax, Shipping, Discount Amount
	Items                           []Item
}

// Item is one line of an order.
type Item struct {
	ProductID, Name, Category string
	Quantity, Price, Cost     Amount
}

// Trait is one observation of a trait: a value said of the anchor at a time.
type Trait struct {
	Name  string
	Value string // JSON
}
