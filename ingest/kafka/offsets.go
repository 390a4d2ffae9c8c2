package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/intake"
)

// Offsets reads how far groups and logs are. It is safe for concurrent use.
type Offsets struct {
	client    *kafka.Client
	transport *kafka.Transport
}

// NewOffsets returns Offsets of the brokers.
func NewOffsets(brokers []string) *Offsets {
	transport := &kafka.Transport{ClientID: "kindred", IdleTimeout: time.Minute, MetadataTTL: 10 * time.Second}
	return &Offsets{client: &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: 15 * time.Second, Transport: transport}, transport: transport}
}

// Close ends idle connections.
func (o *Offsets) Close() { o.transport.CloseIdleConnections() }

// Committed returns the offsets that a group has committed of places; those that
// it never committed are missing, which is all of them for a group that nobody has
// joined yet.
func (o *Offsets) Committed(ctx context.Context, group string, places []intake.Place) (intake.Positions, error) {
	topics := map[string][]int{}
	for _, at := range places {
		topics[at.Topic] = append(topics[at.Topic], at.Partition)
	}
	done, err := o.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: topics})
	if err == nil {
		err = done.Error
	}
	if errors.Is(err, kafka.GroupIdNotFound) {
		return intake.Positions{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of group %s: %w", group, err)
	}
	committed := intake.Positions{}
	for topic, parts := range done.Topics {
		for _, p := range parts {
			if p.Error != nil {
				return nil, fmt.Errorf("fetch offset of group %s in %s/%d: %w", group, topic, p.Partition, p.Error)
			}
			if p.CommittedOffset >= 0 {
				committed[intake.Place{Topic: topic, Partition: p.Partition}] = p.CommittedOffset
			}
		}
	}
	return committed, nil
}

// Ends returns the offsets behind the last records of all partitions of topics.
func (o *Offsets) Ends(ctx context.Context, topics []string) (intake.Positions, error) {
	counts, err := partitionCounts(ctx, o.client, topics)
	if err != nil {
		return nil, err
	}
	last := map[string][]kafka.OffsetRequest{}
	for topic, n := range counts {
		for p := range n {
			last[topic] = append(last[topic], kafka.LastOffsetOf(p))
		}
	}
	listed, err := o.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: last})
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	ends := intake.Positions{}
	for topic, parts := range listed.Topics {
		for _, p := range parts {
			if p.Error != nil {
				return nil, fmt.Errorf("list offsets of %s/%d: %w", topic, p.Partition, p.Error)
			}
			ends[intake.Place{Topic: topic, Partition: p.Partition}] = p.LastOffset
		}
	}
	return ends, nil
}
