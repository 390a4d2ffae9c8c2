package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// maxLinksMessage is the greatest size of a batch of links on the topic, in bytes:
// what every broker takes as it comes, with room to spare.
const maxLinksMessage = 512 << 10

// linksAtOnce is the number of messages in one call of the writer, some tens of
// megabytes.
const linksAtOnce = 64

// MessageWriter publishes messages, each to the topic that it names. It returns
// when all of them are acknowledged; *kafka.Writer with RequiredAcks set is one.
type MessageWriter interface {
	WriteMessages(ctx context.Context, messages ...kafka.Message) error
}

// LinkPublisher publishes scored pairs of records to the topic of evidence, for
// whoever scores them. It is safe for concurrent use if its writer is.
type LinkPublisher struct{ writer MessageWriter }

// NewLinkPublisher returns a publisher that writes with w.
func NewLinkPublisher(w MessageWriter) *LinkPublisher { return &LinkPublisher{writer: w} }

// PublishLinks publishes batch, of any number of pairs, to the owner of workspace,
// which takes the place of batch.Workspace, and returns when the broker has
// acknowledged all of it. A batch that breaks another bound of identity.Links is an
// error that names the pair and no value, and nothing of it is published.
//
// A pair takes effect when the owner has stored and evaluated it, a second or two
// later. On an error some of the batch may be published: publishing all of it
// again, with the same ScoredAt, does no harm. A batch need not say everything that
// its model knows: what it does not name stays as it was scored before.
func (p *LinkPublisher) PublishLinks(ctx context.Context, workspace string, batch identity.Links) error {
	batch.Workspace = workspace
	messages, err := linkMessages(batch)
	if err != nil {
		return err
	}
	for from := 0; from < len(messages); from += linksAtOnce {
		part := messages[from:min(from+linksAtOnce, len(messages))]
		if err := p.writer.WriteMessages(ctx, part...); err != nil {
			return fmt.Errorf("publish links: %w", err)
		}
	}
	return nil
}

// linkMessages encodes a batch of any number of pairs.
func linkMessages(batch identity.Links) ([]kafka.Message, error) {
	if len(batch.Pairs) == 0 {
		return nil, errors.New("links must have a pair")
	}
	var messages []kafka.Message
	for from := 0; from < len(batch.Pairs); from += identity.MaxLinks {
		part := batch
		part.Pairs = batch.Pairs[from:min(from+identity.MaxLinks, len(batch.Pairs))]
		if err := part.Validate(); err != nil {
			return nil, fmt.Errorf("links from pair %d on: %w", from+1, err)
		}
		messages = appendLinks(messages, part)
	}
	return messages, nil
}

// appendLinks adds the messages of a valid batch: several where one would be too
// large.
func appendLinks(messages []kafka.Message, batch identity.Links) []kafka.Message {
	value := identity.AppendLinks(nil, &batch)
	if n := len(batch.Pairs); len(value) > maxLinksMessage && n > 1 {
		first, second := batch, batch
		first.Pairs, second.Pairs = batch.Pairs[:n/2], batch.Pairs[n/2:]
		return appendLinks(appendLinks(messages, first), second)
	}
	return append(messages, kafka.Message{
		Topic: EvidenceTopic, Key: []byte(batch.Workspace), Value: value,
		Headers: []kafka.Header{{Key: identity.HeaderLinks, Value: []byte("1")}},
	})
}
