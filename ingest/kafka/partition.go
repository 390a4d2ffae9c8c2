package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
)

// ErrLost reports that the group has given the partition to another member: a
// commit was refused by the fence of the generation. The owner must stop; what
// it has not committed will be done again by its successor.
var ErrLost = errors.New("partition ownership lost")

// Partition is one partition owned under one generation of a consumer group.
// Its methods are safe for concurrent use.
type Partition struct {
	topic      string
	id, count  int
	generation int
	member     string
	group      string
	offset     int64
	metadata   string
	transport  *kafka.Transport
	client     *kafka.Client
	addr       net.Addr
	maxBytes   int
	maxWait    time.Duration
	lag        func(topic string, partition int, lag int64)
}

// Topic returns the topic's name.
func (p *Partition) Topic() string { return p.topic }

// ID returns the partition's number.
func (p *Partition) ID() int { return p.id }

// Count returns the number of partitions of the topic.
func (p *Partition) Count() int { return p.count }

// Generation returns the group generation that fences the commits.
func (p *Partition) Generation() int32 { return int32(p.generation) }

// Committed returns the offset to go on from and the metadata of the last
// commit, as they were when the generation began.
func (p *Partition) Committed() (offset int64, metadata string) { return p.offset, p.metadata }

// Fetch returns the records from offset on, oldest first, waiting up to the
// configured time for one to arrive; none is no error. Record times are the
// broker's append times and HighWaterMark is set. An offset that retention has removed is
// kafka.OffsetOutOfRange.
func (p *Partition) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	req := newFetch(p.topic, p.id, offset, p.maxBytes, p.maxWait)
	m, err := p.transport.RoundTrip(ctx, p.addr, req)
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%d: %w", p.topic, p.id, err)
	}
	res, ok := m.(*fetchResponse)
	if !ok {
		return nil, fmt.Errorf("fetch %s/%d: unexpected response %T", p.topic, p.id, m)
	}
	if err := res.partitionError(); err != nil {
		return nil, fmt.Errorf("fetch %s/%d at offset %d: %w", p.topic, p.id, offset, err)
	}
	records, next, err := appendRecords(nil, p.topic, p.id, res.records, offset)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].HighWaterMark = res.highWatermark
	}
	if p.lag != nil {
		p.lag(p.topic, p.id, max(0, res.highWatermark-next))
	}
	return records, nil
}

// Commit stores offset, the next record to read, and metadata. An error that
// wraps ErrLost means that another member owns the partition now.
func (p *Partition) Commit(ctx context.Context, offset int64, metadata string) error {
	res, err := p.client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		Addr: p.addr, GroupID: p.group, GenerationID: p.generation, MemberID: p.member,
		Topics: map[string][]kafka.OffsetCommit{p.topic: {{Partition: p.id, Offset: offset, Metadata: metadata}}},
	})
	if err != nil {
		return fmt.Errorf("commit %s/%d: %w", p.topic, p.id, err)
	}
	for _, part := range res.Topics[p.topic] {
		if lost(part.Error) {
			return fmt.Errorf("commit %s/%d: %w: %w", p.topic, p.id, ErrLost, part.Error)
		}
		if part.Error != nil {
			return fmt.Errorf("commit %s/%d: %w", p.topic, p.id, part.Error)
		}
	}
	return nil
}

func lost(err error) bool {
	return errors.Is(err, kafka.IllegalGeneration) || errors.Is(err, kafka.UnknownMemberId) ||
		errors.Is(err, kafka.RebalanceInProgress) || errors.Is(err, kafka.FencedInstanceID)
}
