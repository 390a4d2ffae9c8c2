package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Producer writes batches of records to partitions that the caller names. It
// has no queue and no batching of its own: who has many writers in parallel
// decides what goes together. Safe for concurrent use.
type Producer struct {
	client    *kafka.Client
	transport *kafka.Transport
	codec     kafka.Compression
	mu        sync.Mutex
	counts    map[string]int // Partitions by topic. Protected by mu.
}

// NewProducer returns a producer on the brokers, which are asked to acknowledge
// a batch when every in-sync replica has it.
func NewProducer(brokers []string, codec kafka.Compression) *Producer {
	transport := &kafka.Transport{ClientID: "kindred", IdleTimeout: time.Minute, MetadataTTL: 10 * time.Second}
	return &Producer{
		client:    &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: 30 * time.Second, Transport: transport},
		transport: transport, codec: codec, counts: map[string]int{},
	}
}

// Close ends idle connections.
func (p *Producer) Close() error {
	p.transport.CloseIdleConnections()
	return nil
}

// Partitions returns the number of partitions of a topic. It is asked for once:
// it changes only through a restart.
func (p *Producer) Partitions(ctx context.Context, topic string) (int, error) {
	p.mu.Lock()
	n, ok := p.counts[topic]
	p.mu.Unlock()
	if ok {
		return n, nil
	}
	counts, err := partitionCounts(ctx, p.client, []string{topic})
	if err != nil {
		return 0, err
	}
	if counts[topic] < 1 {
		return 0, fmt.Errorf("topic %s has no partitions", topic)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[topic] = counts[topic]
	return counts[topic], nil
}

// Produce writes the records as one batch and returns when it is acknowledged: the
// offset behind its last record. After an error it may have been written all the
// same.
func (p *Producer) Produce(ctx context.Context, topic string, partition int, records []kafka.Record) (end int64, err error) {
	res, err := p.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: topic, Partition: partition, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(records...), Compression: p.codec,
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return 0, fmt.Errorf("produce to %s/%d: %w", topic, partition, err)
	}
	for i, e := range res.RecordErrors {
		return 0, fmt.Errorf("produce to %s/%d: record %d: %w", topic, partition, i, e)
	}
	return res.BaseOffset + int64(len(records)), nil
}
