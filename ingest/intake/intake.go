// Package intake is the part of the way in that all doors share: HTTP in
// Segment's form, native HTTP and webhooks give it messages, and it
// returns when Kafka has acknowledged every one of them.
//
// Memory is bounded: what waits for the broker counts against one budget, and a
// submission that does not fit is refused at once with the time after which to
// try again. A source that sends more than its share is diverted to the overflow
// topic, from which it is drained at its share, so that it delays only itself.
package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Item is one message on its way to Kafka, or what could not become one.
type Item struct {
	Kind   wire.Kind
	Source string
	// ID is the message id; with Source it decides the partition.
	ID string
	// Value is the JSON of a wire.Message, or the raw bytes of a rejection.
	Value []byte
	// Reject, when set, makes the item a dead letter.
	Reject *Rejection
}

// Rejection says why input is no message. Detail names the field and the rule,
// never the value.
type Rejection struct {
	Reason string // code, one of the Reason constants of package ingest
	Detail string
	// Position says where in its input the value stood, such as
	// "batch[17]" or "orders.csv:1042"; with the bytes it makes the letter
	// known, so that a retry of the same input is kept once.
	Position string
}

// Submitter takes items in. Implementations are safe for concurrent use.
type Submitter interface {
	// Submit returns nil when the broker has acknowledged every item, by all
	// in-sync replicas. On an error any number of them may have been stored;
	// the caller tries the whole submission again, and ids make that harmless.
	// An Overloaded error says when. The values may be used again only after
	// nil: after an error some may still be on their way.
	Submit(ctx context.Context, workspace string, items []Item) error
}

// Overloaded refuses a submission because Kafka does not take messages as fast
// as they come.
type Overloaded struct {
	// After is the time to wait before the next try.
	After time.Duration
}

// Error implements error.
func (o Overloaded) Error() string {
	return fmt.Sprintf("intake is overloaded; try again after %s", o.After)
}

// ErrClosed refuses submissions during a shutdown.
var ErrClosed = errors.New("intake is closing")
