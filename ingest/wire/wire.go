// Package wire is the documented form of an event on a Kafka topic: what
// importers, simulators, the HTTP intake and Kafka-native producers write, and
// what ingest reads. One record is one event: its value is the JSON of Message,
// its topic names the kind, and its headers are those below.
//
// # Writing to the topics directly
//
// A producer in any language writes UTF-8 JSON to kindred.behaviour,
// kindred.transaction and so on, one event a record, with acks=all:
//
//	{"id": "e-1", "name": "Tag Read", "source": "gates",
//	 "time": "2026-01-31T12:00:00Z",
//	 "identifiers": [{"namespace": "rfid", "value": "E200341201B8020114F7C0AB"}],
//	 "sensor": {"technology": "rfid", "device": "gate-1", "reading": -61, "unit": "dBm"}}
//
// id, name, source and time are required, and the typed part of the topic's kind
// (behaviour has none). Unknown fields are refused, so that a misspelt one does
// not disappear. A retry with the same id, source and topic is the same event, for
// ever; the same id with another content is a dead letter.
//
// No header is needed: without kindred-version the value is of version 1, and
// without kindred-workspace it belongs to the workspace "main". Who may write to
// the topics decides for every workspace, so close them by the broker's ACLs.
//
// The key is optional. Copies of a message must meet in one partition, that of
// Partition: ingest moves a record from any other there, once, before it stores
// it, which costs one more write. A producer that chooses the partition itself
// saves that; PartitionKey is the key that Kindred's own producers set.
//
// What cannot be read becomes a row of dead_letters with its bytes, place and
// reason; Parse and Check tell a producer in Go beforehand.
//
// The package imports the standard library only, so that anything that makes
// events can use it without knowing how Kindred resolves them.
package wire

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"time"
)

// Record headers.
const (
	// HeaderWorkspace names the workspace; without it the record belongs to
	// DefaultWorkspace. The intake sets it from the API key, never from a body.
	HeaderWorkspace = "kindred-workspace"
	// HeaderVersion is the schema version of the value, "1" when absent.
	HeaderVersion = "kindred-version"
	// HeaderReject carries the reason why a producer could not read its input:
	// the value is then the raw bytes, stored as a dead letter.
	HeaderReject = "kindred-reject"
	// HeaderSource names the source of a rejected input.
	HeaderSource = "kindred-source"
	// HeaderPosition says where in its input a rejected value stood, such as
	// "online_retail.csv.gz:1042" (file and line).
	HeaderPosition = "kindred-position"
	// HeaderReason is the code of a rejection, such as "invalid_json"; without
	// it a record with HeaderReject has the reason "rejected_by_source".
	HeaderReason = "kindred-reason"
	// HeaderForwarded marks a record that ingest moved to the partition of its
	// message id, and says when it was first received, in milliseconds; it is moved
	// at most once.
	HeaderForwarded = "kindred-forwarded"
	// HeaderKind names the kind of a record on a topic of several kinds.
	HeaderKind = "kindred-kind"
	// HeaderReplay marks a record that replays a dead letter: the letter's id, the
	// attempt and a seal of both. Only the owner of kindred.control can make one;
	// ingest ignores any other.
	HeaderReplay = "kindred-replay"
)

// DefaultWorkspace serves installations that need only one.
const DefaultWorkspace = "main"

// Kind is a kind of event; each has its own topic.
type Kind string

// The kinds of events.
const (
	Behaviour   Kind = "behaviour"
	Transaction Kind = "transaction"
	Social      Kind = "social"
	Location    Kind = "location"
	Support     Kind = "support"
	Feedback    Kind = "feedback"
	Sensor      Kind = "sensor"
	Contact     Kind = "contact"
	Catalogue   Kind = "catalogue"
)

// Kinds lists every kind, in a fixed order.
func Kinds() []Kind {
	return []Kind{Behaviour, Transaction, Social, Location, Support, Feedback, Sensor, Contact, Catalogue}
}

// Topic returns the topic of the kind.
func (k Kind) Topic() string { return "kindred." + string(k) }

// Message is the JSON of one event.
type Message struct {
	// ID identifies the message within its (workspace, kind, source): a retry
	// with the same ID is the same event. Required, at most 200 bytes.
	ID string `json:"id"`
	// Name is the event's name, such as "Order Completed". Required.
	Name string `json:"name"`
	// Type is the Segment call for behaviour: track, page, screen, identify,
	// group or alias; "track" when empty.
	Type string `json:"type,omitempty"`
	// Source names where the event comes from, such as "web". Required.
	Source string `json:"source"`
	// Time is when the event happened, by the best knowledge of the producer
	// (corrected for clock skew by the intake). Required.
	Time time.Time `json:"time"`
	// OriginalTime and SentTime are the client's own claims, when they exist.
	OriginalTime time.Time `json:"original_time,omitzero"`
	SentTime     time.Time `json:"sent_time,omitzero"`
	// Undated says that the client named no time and Time is that of its
	// arrival: a retry of the message may then carry another Time.
	Undated bool `json:"undated,omitempty"`
	// Identifiers are the identifiers met in the event, not normalised.
	Identifiers []Identifier `json:"identifiers,omitempty"`
	// Properties, Traits and Context are free JSON objects.
	Properties json.RawMessage `json:"properties,omitempty"`
	Traits     json.RawMessage `json:"traits,omitempty"`
	Context    json.RawMessage `json:"context,omitempty"`
	// Of the typed parts exactly that of the message's kind is present;
	// behaviour has none.
	Transaction *Order          `json:"transaction,omitempty"`
	Social      *Post           `json:"social,omitempty"`
	Location    *Fix            `json:"location,omitempty"`
	Support     *SupportContact `json:"support,omitempty"`
	Feedback    *Answer         `json:"feedback,omitempty"`
	Sensor      *Reading        `json:"sensor,omitempty"`
	Contact     *Outreach       `json:"contact,omitempty"`
	Catalogue   *Entry          `json:"catalogue,omitempty"`
}

// Identifier is one identifier as the producer met it.
type Identifier struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

// Order is the typed part of a transaction: an order, a refund, a subscription
// payment or a stock adjustment. Amounts are decimal numbers with up to four
// places, written as JSON numbers; refunds have negative amounts.
type Order struct {
	// Type is "order", "refund", "subscription" or "adjustment".
	Type     string      `json:"type"`
	OrderID  string      `json:"order_id"`
	Status   string      `json:"status,omitempty"` // such as "completed" or "cancelled"
	Currency string      `json:"currency"`         // ISO 4217
	Amount   json.Number `json:"amount"`           // sum of quantity × price of the items, before tax and shipping
	Tax      json.Number `json:"tax,omitempty"`
	Shipping json.Number `json:"shipping,omitempty"`
	Discount json.Number `json:"discount,omitempty"`
	Items    []Item      `json:"items,omitempty"`
}

// Item is one line of an order, kept as it was: equal lines are not merged.
type Item struct {
	ProductID string      `json:"product_id"`
	Name      string      `json:"name,omitempty"`
	Category  string      `json:"category,omitempty"`
	Quantity  json.Number `json:"quantity"`
	Price     json.Number `json:"price"`          // per unit
	Cost      json.Number `json:"cost,omitempty"` // per unit
}

// PartitionKey returns the record key of a message: the FNV-1a hash of source
// and message id in decimal. Copies of one message therefore meet in one
// partition, which is what makes deduplication a local matter.
func PartitionKey(source, messageID string) []byte {
	h := fnv.New64a()
	_, _ = h.Write([]byte(source))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(messageID))
	return strconv.AppendUint(nil, h.Sum64(), 10)
}

// Partition returns the partition of a message on a topic of n partitions.
func Partition(source, messageID string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(source))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(messageID))
	return int(h.Sum64() % uint64(n))
}

// PartitionOfKey returns the partition of a record whose key PartitionKey made,
// 0 for any other key.
func PartitionOfKey(key []byte, n int) int {
	h, err := strconv.ParseUint(string(key), 10, 64)
	if err != nil {
		return 0
	}
	return int(h % uint64(n))
}
