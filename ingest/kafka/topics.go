package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// Topic describes a topic that Kindred needs.
type Topic struct {
	Name       string
	Partitions int
	// Retention is how long records are kept; 0 keeps the broker's default.
	Retention time.Duration
}

// maxMessageBytes is what the topics take in one request and one record: more
// than the largest message, which wire.MaxMessage bounds, with its headers.
const maxMessageBytes = 6 << 20

// EnsureTopics creates the topics that do not exist, with append times, and
// leaves existing ones as they are: partition counts change only through a
// drained restart. It waits until every topic has its leaders.
func EnsureTopics(ctx context.Context, brokers []string, replication int, topics []Topic) error {
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: 15 * time.Second}
	req := &kafka.CreateTopicsRequest{Addr: client.Addr}
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.Name
		cfg := kafka.TopicConfig{
			Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: replication,
			ConfigEntries: []kafka.ConfigEntry{
				{ConfigName: "message.timestamp.type", ConfigValue: "LogAppendTime"},
				{ConfigName: "max.message.bytes", ConfigValue: fmt.Sprint(maxMessageBytes)},
			},
		}
		if t.Retention > 0 {
			cfg.ConfigEntries = append(cfg.ConfigEntries, kafka.ConfigEntry{
				ConfigName: "retention.ms", ConfigValue: fmt.Sprint(t.Retention.Milliseconds()),
			})
		}
		req.Topics = append(req.Topics, cfg)
	}
	res, err := client.CreateTopics(ctx, req)
	if err != nil {
		return fmt.Errorf("create topics on %v: %w", brokers, err)
	}
	for name, err := range res.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", name, err)
		}
	}
	for {
		counts, err := partitionCounts(ctx, client, names)
		if err == nil && len(counts) == len(topics) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for topics on %v: %w", brokers, errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// partitionCounts returns the number of partitions of each named topic.
func partitionCounts(ctx context.Context, client *kafka.Client, names []string) (map[string]int, error) {
	md, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	counts := map[string]int{}
	for _, t := range md.Topics {
		if t.Error != nil {
			return nil, fmt.Errorf("read topic %s: %w", t.Name, t.Error)
		}
		counts[t.Name] = len(t.Partitions)
	}
	return counts, nil
}

// bounds returns the least offset that the partition still holds, and the one
// after the last.
func bounds(ctx context.Context, client *kafka.Client, topic string, partition int) (first, end int64, err error) {
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)}},
	})
	if err != nil {
		return 0, 0, fmt.Errorf("list offsets of %s/%d: %w", topic, partition, err)
	}
	for _, o := range res.Topics[topic] {
		if o.Partition == partition {
			if o.Error != nil {
				return 0, 0, fmt.Errorf("list offsets of %s/%d: %w", topic, partition, o.Error)
			}
			return o.FirstOffset, o.LastOffset, nil
		}
	}
	return 0, 0, fmt.Errorf("list offsets of %s/%d: no answer", topic, partition)
}

// Lag returns how many records of the topics the group has not committed.
func Lag(ctx context.Context, brokers []string, group string, topics []string) (int64, error) {
	behind, _, err := Progress(ctx, brokers, group, topics)
	return behind, err
}

// Progress returns how many records of the topics the group has not committed,
// and how many were ever written to them.
func Progress(ctx context.Context, brokers []string, group string, topics []string) (behind, written int64, err error) {
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: 15 * time.Second}
	counts, err := partitionCounts(ctx, client, topics)
	if err != nil {
		return 0, 0, err
	}
	last := map[string][]kafka.OffsetRequest{}
	ids := map[string][]int{}
	for topic, n := range counts {
		for p := range n {
			last[topic] = append(last[topic], kafka.LastOffsetOf(p), kafka.FirstOffsetOf(p))
			ids[topic] = append(ids[topic], p)
		}
	}
	ends, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: last})
	if err != nil {
		return 0, 0, fmt.Errorf("list offsets: %w", err)
	}
	done, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: ids})
	if err != nil {
		return 0, 0, fmt.Errorf("fetch offsets of group %s: %w", group, err)
	}
	type place struct {
		topic string
		id    int
	}
	at := map[place]int64{}
	for topic, parts := range done.Topics {
		for _, p := range parts {
			at[place{topic, p.Partition}] = p.CommittedOffset
		}
	}
	for topic, parts := range ends.Topics {
		for _, p := range parts {
			behind += max(0, p.LastOffset-max(p.FirstOffset, at[place{topic, p.Partition}]))
			written += p.LastOffset
		}
	}
	return behind, written, nil
}
