package kafka

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	// writeBytes bounds what the writer puts into one produce request for a
	// partition, before compression: below the mebibyte that a broker accepts by
	// default.
	writeBytes = 900 << 10
	// largeBytes bounds one record. Only a topic with a higher
	// max.message.bytes, as EnsureTopics makes them, takes more than a mebibyte
	// after compression.
	largeBytes = maxMessageBytes - 1<<10
)

// Writer writes records to the topics they name and returns when every in-sync
// replica has them. A record whose key is the decimal hash of wire.PartitionKey
// goes to the partition of wire.Partition. It is safe for concurrent use.
type Writer struct {
	*kafka.Writer
	// large sends records, one in a request, that are larger than a request
	// should be. kafka-go refuses a whole call for one of them, which would make
	// a record that was read but cannot be written stop its partition for ever.
	large *kafka.Writer
}

// NewWriter returns a writer to the brokers; nothing is dialled yet.
func NewWriter(brokers []string) *Writer {
	transport := &kafka.Transport{ClientID: "kindred", IdleTimeout: time.Minute, MetadataTTL: metadataTTL}
	writer := func(records, bytes int) *kafka.Writer {
		return &kafka.Writer{
			Addr: kafka.TCP(brokers...), Balancer: kafka.BalancerFunc(balance), RequiredAcks: kafka.RequireAll,
			MaxAttempts: 10, BatchSize: records, BatchBytes: int64(bytes), BatchTimeout: 2 * time.Millisecond,
			WriteTimeout: 30 * time.Second, ReadTimeout: 30 * time.Second, Compression: kafka.Lz4, Transport: transport,
		}
	}
	return &Writer{Writer: writer(2000, writeBytes), large: writer(1, largeBytes)}
}

// metadataTTL is how long a new leader may go unnoticed.
const metadataTTL = 5 * time.Second

// WriteMessages is kafka.Writer's: a kafka.WriteErrors has an entry for each
// record, nil where it was written.
func (w *Writer) WriteMessages(ctx context.Context, msgs ...kafka.Message) error {
	if !slices.ContainsFunc(msgs, isLarge) {
		return w.Writer.WriteMessages(ctx, msgs...)
	}
	var parts [2][]kafka.Message
	var places [2][]int
	for i, m := range msgs {
		k := 0
		if isLarge(m) {
			k = 1
		}
		parts[k], places[k] = append(parts[k], m), append(places[k], i)
	}
	errs := make(kafka.WriteErrors, len(msgs))
	var failed bool
	for k, to := range []*kafka.Writer{w.Writer, w.large} {
		if len(parts[k]) == 0 {
			continue
		}
		err := to.WriteMessages(ctx, parts[k]...)
		var each kafka.WriteErrors
		single := !errors.As(err, &each)
		for j, i := range places[k] {
			if errs[i] = err; !single {
				errs[i] = each[j]
			}
		}
		failed = failed || err != nil
	}
	if !failed {
		return nil
	}
	return errs
}

// Close waits for what is being written.
func (w *Writer) Close() error { return errors.Join(w.Writer.Close(), w.large.Close()) }

// isLarge reports whether a record needs a request of its own. The overhead of
// a header or a record is some 20 bytes.
func isLarge(m kafka.Message) bool {
	size := len(m.Key) + len(m.Value) + 64
	for _, h := range m.Headers {
		size += len(h.Key) + len(h.Value) + 16
	}
	return size > writeBytes-256
}

var byKey = &kafka.Hash{}

func balance(msg kafka.Message, partitions ...int) int {
	if h, err := strconv.ParseUint(string(msg.Key), 10, 64); err == nil && len(msg.Key) > 0 {
		return partitions[int(h%uint64(len(partitions)))]
	}
	return byKey.Balance(msg, partitions...)
}
