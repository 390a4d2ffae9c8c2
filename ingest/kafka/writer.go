package kafka

import (
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// NewWriter returns a writer that acknowledges a record only when every in-sync
// replica has it. Records name their topic themselves. A record whose key is
// the decimal hash of wire.PartitionKey goes to the partition of wire.Partition.
func NewWriter(brokers []string) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(brokers...), Balancer: kafka.BalancerFunc(balance), RequiredAcks: kafka.RequireAll,
		MaxAttempts: 10, BatchSize: 2000, BatchBytes: 900 << 10, BatchTimeout: 2 * time.Millisecond,
		WriteTimeout: 30 * time.Second, ReadTimeout: 30 * time.Second, Compression: kafka.Lz4,
		Transport: &kafka.Transport{ClientID: "kindred", IdleTimeout: time.Minute, MetadataTTL: 10 * time.Second},
	}
}

var byKey = &kafka.Hash{}

func balance(msg kafka.Message, partitions ...int) int {
	if h, err := strconv.ParseUint(string(msg.Key), 10, 64); err == nil && len(msg.Key) > 0 {
		return partitions[int(h%uint64(len(partitions)))]
	}
	return byKey.Balance(msg, partitions...)
}
