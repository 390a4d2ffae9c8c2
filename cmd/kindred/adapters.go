package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/ledger"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/wire"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/valuation"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Small types that let packages meet which do not know each other.

// normalizeWire returns the ingest.Normalize of n: a value that is empty is no
// identifier.
func normalizeWire(n normalize.Normalizer) ingest.Normalize {
	return func(ns identity.Namespace, value string) (identity.Identifier, bool, error) {
		id, err := n.Identifier(ns, value)
		if errors.Is(err, normalize.ErrEmpty) {
			return identity.Identifier{}, false, nil
		}
		return id, err == nil, err
	}
}

// newDecoder returns the decoder of events, which can still read a range that it
// began under other settings.
func newDecoder(p *platform) (*ingest.Decoder, error) {
	return ingest.NewDecoderOf(p.secret, p.settings.normalise.String(), func(form string) (ingest.Normalize, error) {
		o, err := normalize.ParseOptions(form)
		return normalizeWire(normalize.New(o)), err
	})
}

// writer is what kafka.NewWriter returns.
type writer interface {
	WriteMessages(ctx context.Context, msgs ...kafka.Message) error
}

// toTopic writes messages that do not name a topic to one.
type toTopic struct {
	writer
	topic string
}

func (t toTopic) WriteMessages(ctx context.Context, msgs ...kafka.Message) error {
	for i := range msgs {
		msgs[i].Topic = t.topic
	}
	return t.writer.WriteMessages(ctx, msgs...)
}

// recordPublisher is files.Publisher on Kafka.
type recordPublisher struct{ writer }

func (p recordPublisher) Publish(ctx context.Context, topic string, records []files.Record) error {
	msgs := make([]kafka.Message, len(records))
	for i, r := range records {
		msgs[i] = kafka.Message{Topic: topic, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			msgs[i].Headers = append(msgs[i].Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
	}
	return p.WriteMessages(ctx, msgs...)
}

// deadLetterRejecter sends what the ledger cannot use through ingest, the one
// writer of dead letters.
type deadLetterRejecter struct{ writer }

func (d deadLetterRejecter) Reject(ctx context.Context, rejections []ledger.Rejection) error {
	msgs := make([]kafka.Message, len(rejections))
	for i, r := range rejections {
		workspace := r.Workspace
		if workspace == "" {
			workspace = wire.DefaultWorkspace
		}
		msgs[i] = kafka.Message{
			Topic: wire.Behaviour.Topic(), Value: r.Message.Value,
			Headers: []kafka.Header{
				{Key: wire.HeaderWorkspace, Value: []byte(workspace)},
				{Key: wire.HeaderReject, Value: []byte(string(r.Reason) + ": " + r.Detail)},
				{Key: wire.HeaderSource, Value: []byte("identity")},
				{Key: wire.HeaderPosition, Value: fmt.Appendf(nil, "%s/%d/%d", r.Message.Topic, r.Message.Partition, r.Message.Offset)},
			},
		}
	}
	return d.WriteMessages(ctx, msgs...)
}

// stakes returns what hangs on profiles: their events, and what they will spend
// within a year.
func stakes(store *profilestore.Store) ledger.Stakes {
	return func(ctx context.Context, workspace string, ids []identity.ProfileID) (map[identity.ProfileID]identity.Stake, error) {
		return store.Stakes(ctx, workspace, valuation.LifetimeValue1y, ids)
	}
}

// readingPublisher is ledger.Publisher on the warehouse.
type readingPublisher struct{ p *platform }

func (r readingPublisher) Publish(ctx context.Context, workspace string, epoch, sequence uint64) error {
	return warehouse.PublishReading(ctx, r.p.conn, workspace, warehouse.Version{Epoch: epoch, Sequence: sequence}, now())
}

func (r readingPublisher) StartEpoch(ctx context.Context, workspace string, epoch uint64) error {
	_, err := warehouse.StartEpoch(ctx, r.p.conn, workspace, epoch, now())
	return err
}
